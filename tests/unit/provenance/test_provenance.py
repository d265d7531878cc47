"""Real files, signed here and read back in the sandbox: whole, altered, stripped and hostile."""

import dataclasses
import http.server
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import c2pa
import pytest
from PIL import Image

from encoders.base import ReadLimits
from encoders.errors import EmptyFile, UnsupportedMedia
from encoders.provenance.manifest import offline_settings
from encoders.provenance.reading import read_provenance
from encoders.provenance.types import ManifestAction, ManifestState, Provenance, pack, unpack
from encoders.sandbox import Sandbox
from encoders.sandbox_wire import MalformedAnswer
from tests.http_servers import serving
from tests.unit.provenance.signing import Signing, make_signing

SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
KINDS = {"photo-genuine.jpg": "image/jpeg", "video-genuine.mp4": "video/mp4"}


@pytest.fixture(scope="module")
def signing() -> Signing:
    return make_signing()


@pytest.fixture(scope="module")
def signed(signing: Signing) -> dict[str, bytes]:
    return {name: signing.sign((SAMPLES / name).read_bytes(), kind) for name, kind in KINDS.items()}


def read(sandbox: Sandbox, folder: Path, content: bytes, anchor: str = "") -> Provenance:
    path = folder / "file"
    path.write_bytes(content)
    return read_provenance(sandbox, path, trust_anchors=anchor)


@pytest.mark.parametrize("name", KINDS)
def test_a_signed_file_reads_back(
    sandbox: Sandbox, signing: Signing, signed: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    trusted = read(sandbox, tmp_path, signed[name], signing.trust_anchor)
    assert trusted.manifest is ManifestState.TRUSTED
    assert (trusted.claim_generator, trusted.signer) == ("Test camera 1.0", "Test newsroom")
    assert trusted.actions == (
        ManifestAction("c2pa.created", "trainedAlgorithmicMedia"),
        ManifestAction("c2pa.color_adjustments"),
    )
    assert trusted.declares_synthetic
    assert trusted.reasons == ()


@pytest.mark.parametrize("name", KINDS)
def test_an_unknown_signer_is_told_from_a_trusted_one(
    sandbox: Sandbox, signed: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    for anchor in ("", make_signing().trust_anchor):
        found = read(sandbox, tmp_path, signed[name], anchor)
        assert found.manifest is ManifestState.VALID
        assert found.reasons == ("signingCredential.untrusted",)


@pytest.mark.parametrize("name", KINDS)
def test_one_changed_byte_of_the_content_shows(
    sandbox: Sandbox, signing: Signing, signed: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    original = (SAMPLES / name).read_bytes()
    # Past the manifest, which both formats carry in front: the tails are the same bytes.
    tail = signed[name].rfind(original[-5000:-4000])
    assert tail > 0
    for offset in (0, 333, 999):
        altered = bytearray(signed[name])
        altered[tail + offset] ^= 1
        found = read(sandbox, tmp_path, bytes(altered), signing.trust_anchor)
        assert found.manifest is ManifestState.INVALID
        assert any("Hash.mismatch" in reason for reason in found.reasons)


@pytest.mark.parametrize("name", KINDS)
def test_a_file_without_marks_has_none(sandbox: Sandbox, name: str) -> None:
    assert read_provenance(sandbox, SAMPLES / name) == Provenance(ManifestState.ABSENT)


def test_a_manifest_that_is_stripped_is_absent(
    sandbox: Sandbox, signed: dict[str, bytes], tmp_path: Path
) -> None:
    stripped = BytesIO()
    with Image.open(BytesIO(signed["photo-genuine.jpg"])) as picture:
        picture.save(stripped, "JPEG")
    assert read(sandbox, tmp_path, stripped.getvalue()).manifest is ManifestState.ABSENT


def test_a_manifest_cut_short_is_no_valid_one(
    sandbox: Sandbox, signed: dict[str, bytes], tmp_path: Path
) -> None:
    for length in (3000, 9000, 20_000):
        found = read(sandbox, tmp_path, signed["photo-genuine.jpg"][:length])
        assert found.manifest not in (ManifestState.TRUSTED, ManifestState.VALID)


@pytest.fixture
def visits() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and who came."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}/manifest.c2pa", paths


def test_a_manifest_elsewhere_is_not_fetched(
    sandbox: Sandbox, signing: Signing, tmp_path: Path, visits: tuple[str, list[str]]
) -> None:
    url, paths = visits
    content = (SAMPLES / "photo-genuine.jpg").read_bytes()
    remote = signing.sign(content, "image/jpeg", remote_url=url)
    found = read(sandbox, tmp_path, remote)
    assert found.manifest is ManifestState.REMOTE
    # The settings alone keep it from calling, too: here there is a network.
    with (
        c2pa.Context.from_dict(offline_settings()) as context,
        pytest.raises(c2pa.C2paError, match="Remote"),
    ):
        c2pa.Reader(None, BytesIO(remote), None, context)
    assert paths == []
    # And without them it would have called, so that the server would have seen it.
    careless = offline_settings()
    careless["verify"]["remote_manifest_fetch"] = True
    careless.pop("core")
    with c2pa.Context.from_dict(careless) as context, pytest.raises(c2pa.C2paError):
        c2pa.Reader(None, BytesIO(remote), None, context)
    assert paths == ["/manifest.c2pa"]


def test_limits_hold_for_a_report_too(signed: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "signed.mp4"
    path.write_bytes(signed["video-genuine.mp4"])
    limits = dataclasses.replace(ReadLimits(), wall_seconds=1e-9)
    with Sandbox(limits=limits) as hurried:
        found = read_provenance(hurried, path)
    assert found == Provenance(ManifestState.UNREADABLE, reasons=("decode_timeout",))


def test_what_is_no_media_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedMedia):
        read(sandbox, tmp_path, b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(EmptyFile):
        read(sandbox, tmp_path, b"")


def test_an_answer_of_a_child_is_checked() -> None:
    whole = pack(Provenance(ManifestState.VALID, actions=(ManifestAction("c2pa.edited"),)))
    plain = whole | {"actions": [{"action": "c2pa.edited\x1b[2J", "source_type": "x y"}]}
    found = unpack(plain)
    assert found.actions == (ManifestAction("c2pa.edited[2J"),)
    for wrong in ({}, {"manifest": "fine"}, {"reasons": [3]}, {"actions": [{}]}, {"signer": None}):
        with pytest.raises(MalformedAnswer):
            unpack((plain | wrong) if wrong else {})
