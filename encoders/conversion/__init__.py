"""Published weights to the formats that the encoders and the judge load.

One module an artefact, each with `convert(raw, destination)`: the published file in, a folder of
files out. A conversion gives the same bytes on every machine, so its output can be pinned too.
"""
