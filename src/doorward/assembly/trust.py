"""Makes this machine trust the local certificate authority, and says plainly what was done and what is left.

Two stores matter: the system's (curl, git, Python …), which only root may change, and the NSS database of the user
(Chromium and its kin on Linux). Firefox keeps one per profile and is told by hand.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from doorward.assembly.local_ca import NAME, LocalAuthority

SYSTEM_FOLDER = Path("/usr/local/share/ca-certificates")
NSS_FOLDER = Path(".pki/nssdb")
"""Below the home folder."""


@dataclass(slots=True)
class TrustReport:
    """What an installation did and could not do, in sentences for the person who asked."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([*self.done, *(["", "Still to do by hand:", *self.left] if self.left else [])])


def install(authority: LocalAuthority, *, home: Path | None = None, system_folder: Path = SYSTEM_FOLDER) -> TrustReport:
    """Install the authority's certificate wherever this user may.

    Args:
        authority: whose certificate.
        home: the user's home folder; by default the one of the environment.
        system_folder: where the distribution looks for local authorities.

    Raises nothing: what fails is in the report.
    """
    report = TrustReport()
    _into_system(authority.certificate_path, system_folder, report)
    _into_nss(authority.certificate_path, home or Path.home(), report)
    report.left.append(
        f"  Firefox: Settings > Privacy & Security > Certificates > View Certificates > Authorities > Import"
        f" {authority.certificate_path}"
    )
    return report


def _into_system(certificate: Path, folder: Path, report: TrustReport) -> None:
    target = folder / "doorward-local-ca.crt"
    by_hand = f"  system: sudo cp {certificate} {target} && sudo update-ca-certificates"
    update = shutil.which("update-ca-certificates", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if update is None:
        report.left.append(f"  system: there is no update-ca-certificates here; add {certificate} as your system asks")
        return
    if not os.access(folder, os.W_OK):
        report.left.append(by_hand)
        return
    try:
        shutil.copyfile(certificate, target)
        target.chmod(0o644)
        subprocess.run([update], check=True, capture_output=True, timeout=60)  # noqa: S603 - a fixed command
    except (OSError, subprocess.SubprocessError) as failed:
        report.left.append(f"{by_hand}   (tried: {failed})")
        return
    report.done.append(f"The system trusts the local authority ({target}).")


def _into_nss(certificate: Path, home: Path, report: TrustReport) -> None:
    database = home / NSS_FOLDER
    certutil = shutil.which("certutil")
    if certutil is None:
        report.left.append(
            f"  Chromium: apt-get install libnss3-tools, then: certutil -d sql:{database} -A -t C,, "
            f"-n '{NAME}' -i {certificate}"
        )
        return
    try:
        if not (database / "cert9.db").exists():
            database.mkdir(parents=True, mode=0o700, exist_ok=True)
            _certutil(certutil, database, "-N", "--empty-password")
        with contextlib.suppress(subprocess.CalledProcessError):
            _certutil(certutil, database, "-D", "-n", NAME)  # an earlier authority of the same name
        _certutil(certutil, database, "-A", "-t", "C,,", "-n", NAME, "-i", str(certificate))
    except (OSError, subprocess.SubprocessError) as failed:
        report.left.append(f"  Chromium: certutil could not add {certificate} to {database} ({failed})")
        return
    report.done.append(f"Chromium and its kin trust the local authority ({database}).")


def _certutil(certutil: str, database: Path, *arguments: str) -> None:
    command = [certutil, "-d", f"sql:{database}", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603 - no shell, fixed program
