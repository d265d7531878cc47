"""Files by reference: fetched by the server from public addresses alone."""

from moderation.intake.blobs import Blob, BlobStore
from moderation.intake.errors import SubmissionError
from moderation.outbound.client import OutboundClient


def fetch(blobs: BlobStore, outbound: OutboundClient, url: str) -> Blob:
    """The bytes that lie at `url`, kept; no more of them than an upload may have.

    Raises:
        AddressRefused: not a public address. NameNotResolved, RemoteError: nobody answers.
        RemoteTooLarge: too many bytes. SubmissionError: none at all.
        OutputError: the disk does not take them.
    """
    with blobs.upload() as incoming:
        outbound.fetch(url, incoming.write, bytes_max=blobs.bytes_max)
        if incoming.size_bytes == 0:
            raise SubmissionError("a file of no bytes", expected="media", remedy="Correct the URL.")
        return incoming.finish()
