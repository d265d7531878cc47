"""Signs media with certificates that are made here, as a camera or an editor would."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from encoders.provenance.manifest import offline_settings

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


@dataclass(frozen=True)
class Signing:
    """A signer, and the certificate that vouches for it as PEM."""

    signer: c2pa.Signer
    trust_anchor: str

    def sign(self, content: bytes, media_type: str, *, remote_url: str | None = None) -> bytes:
        """`content` with a manifest, or with no more than the address of one."""
        manifest = {
            "claim_generator_info": [{"name": "Test camera", "version": "1.0"}],
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {
                        "actions": [
                            {"action": "c2pa.created", "digitalSourceType": TRAINED},
                            {"action": "c2pa.color_adjustments"},
                        ]
                    },
                }
            ],
        }
        settings = offline_settings() | {"builder": {"thumbnail": {"enabled": False}}}
        signed = BytesIO()
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Builder(json.dumps(manifest), context) as builder,
        ):
            if remote_url is not None:
                builder.set_no_embed()
                builder.set_remote_url(remote_url)
            builder.sign(self.signer, media_type, BytesIO(content), signed)
        return signed.getvalue()


def make_signing() -> Signing:
    """A root certificate and a signer of its own."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Test root", "Test root", root_key, root_key, is_root=True)
    leaf = _certificate("Test signer", "Test root", key, root_key, is_root=False)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    info = c2pa.C2paSignerInfo(b"es256", (_pem(leaf) + _pem(root)).encode(), private, None)
    return Signing(c2pa.Signer.from_info(info), _pem(root))


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_root: bool,
) -> x509.Certificate:
    def name(common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test newsroom"),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    # The library looks at the clock: valid for long before and after it.
    today = datetime.now(UTC)
    granted = {"key_cert_sign", "crl_sign"} if is_root else {"digital_signature"}
    usage: dict[str, Any] = {name: name in granted for name in _USAGES}
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=365))
        .not_valid_after(today + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not is_root:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
