#!/usr/bin/env node
// Packs a binary of stanch for npm: a package for each platform that carries the binary, and `stanch`, which depends on
// all of them, gets the one that fits, and starts it. Nothing is downloaded when it is installed.
//
//     node .packages/npm.mjs --out dist --platform linux --arch x64 --binary target/release/stanch
//     node .packages/npm.mjs --out dist                     the package `stanch` itself
//
// Each is a directory below --out, ready for `npm pack` or `npm publish`.

import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const platforms = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64"];

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    platform: { type: "string" },
    arch: { type: "string" },
    binary: { type: "string" },
  },
});

function fail(message) {
  console.error(`npm.mjs: ${message}`);
  process.exit(1);
}

const manifest = readFileSync(join(root, "Cargo.toml"), "utf8");
function field(name) {
  return manifest.match(new RegExp(`^${name} = "(.*)"$`, "m"))?.[1] ?? fail(`Cargo.toml has no ${name}`);
}

function write(name, more, fill) {
  const dir = join(values.out, name);
  mkdirSync(join(dir, "bin"), { recursive: true });
  copyFileSync(join(root, "LICENSE"), join(dir, "LICENSE"));
  fill(join(dir, "bin"));
  const description = { name, version: field("version"), description: field("description"), license: field("license"), ...more };
  writeFileSync(join(dir, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  return dir;
}

if (!values.out) fail("--out is missing");
if (values.binary) {
  const key = `${values.platform}-${values.arch}`;
  if (!platforms.includes(key)) fail(`${key} is none of ${platforms.join(", ")}`);
  const program = values.platform === "win32" ? "stanch.exe" : "stanch";
  const dir = write(`stanch-${key}`, { os: [values.platform], cpu: [values.arch], preferUnplugged: true }, (bin) => {
    copyFileSync(values.binary, join(bin, program));
    chmodSync(join(bin, program), 0o755);
  });
  console.log(dir);
} else {
  const version = field("version");
  const more = {
    bin: { stanch: "bin/stanch.js" },
    engines: { node: ">=16" },
    optionalDependencies: Object.fromEntries(platforms.map((key) => [`stanch-${key}`, version])),
  };
  const dir = write("stanch", more, (bin) => {
    copyFileSync(join(root, ".packages/launcher.js"), join(bin, "stanch.js"));
    chmodSync(join(bin, "stanch.js"), 0o755);
  });
  copyFileSync(join(root, "README.md"), join(dir, "README.md"));
  console.log(dir);
}
