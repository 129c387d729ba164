#!/usr/bin/env python3
"""Packs a binary of stanch as a wheel, so that `pip install` puts it on PATH.

    .packages/wheel.py --binary target/release/stanch --platform manylinux_2_17_x86_64 --out dist

Needs nothing but Python. The same binary gives the same wheel, byte for byte.
"""

import argparse
import base64
import hashlib
import pathlib
import re
import stat
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def field(name):
    text = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(rf'^{name} = "(.*)"$', text, re.MULTILINE)
    if not found:
        raise SystemExit(f"wheel.py: Cargo.toml has no {name}")
    return found.group(1)


def main():
    parser = argparse.ArgumentParser(description="Packs a binary of stanch as a wheel.")
    parser.add_argument("--binary", type=pathlib.Path, required=True, help="the binary")
    parser.add_argument("--platform", required=True, help="platform tag, such as manylinux_2_17_x86_64, musllinux_1_1_x86_64, macosx_11_0_arm64 or win_amd64; several with dots between them")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the directory for the wheel")
    arguments = parser.parse_args()
    if not re.fullmatch(r"[A-Za-z0-9_.]+", arguments.platform):
        raise SystemExit("wheel.py: --platform is no platform tag")

    name, version = field("name"), field("version")
    # Cargo writes 1.0.0-rc.1 where Python writes 1.0.0rc1.
    version = re.sub(r"-(alpha|beta|rc)\.?", lambda part: {"alpha": "a", "beta": "b", "rc": "rc"}[part.group(1)], version)
    info = f"{name}-{version}.dist-info"
    program = "stanch.exe" if arguments.platform.startswith("win") else "stanch"
    tags = [f"py3-none-{platform}" for platform in arguments.platform.split(".")]
    metadata = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        f"Summary: {field('description')}",
        f"License-Expression: {field('license')}",
        "License-File: LICENSE",
        "Requires-Python: >=3.7",
        "Description-Content-Type: text/markdown",
        "",
        (ROOT / "README.md").read_text(encoding="utf-8"),
    ]
    wheel = ["Wheel-Version: 1.0", "Generator: stanch", "Root-Is-Purelib: false", *(f"Tag: {tag}" for tag in tags), ""]
    files = [
        (f"{name}-{version}.data/scripts/{program}", arguments.binary.read_bytes(), 0o755),
        (f"{info}/METADATA", "\n".join(metadata).encode(), 0o644),
        (f"{info}/WHEEL", "\n".join(wheel).encode(), 0o644),
        (f"{info}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644),
    ]
    record = []
    for path, content, _ in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={digest},{len(content)}")
    record += [f"{info}/RECORD,,", ""]
    files.append((f"{info}/RECORD", "\n".join(record).encode(), 0o644))

    arguments.out.mkdir(parents=True, exist_ok=True)
    target = arguments.out / f"{name}-{version}-py3-none-{arguments.platform}.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content, mode in files:
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    print(target)


if __name__ == "__main__":
    main()
