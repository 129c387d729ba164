#!/bin/sh
# Installs stanch for the current user. See --help.

set -eu

usage() {
    cat <<'END'
Install stanch for the current user, without root.

Usage: install.sh [--from FILE --sha256 SUM] [--hook]
       install.sh --release URL [--sha256 SUM] [--hook]
       install.sh --uninstall [--hook]

Without --from and --release, stanch is built with cargo from the checkout that this script lies in. Doing it again
brings the binary up to date.

Options:
  --from FILE     take the binary from FILE, a tar archive that holds `stanch` or the binary itself
  --release URL   download the archive for this machine from URL, a directory that holds archives and SHA256SUMS
  --sha256 SUM    the SHA-256 sum of the file, 64 hexadecimal digits; nothing of it is used before it is right.
                  Without it the sum of a release is the one in SHA256SUMS, which tells damage but not forgery
  --hook          set up the pre-commit hook of the repository in the current directory as well
  --uninstall     remove the binary, and with --hook the hook of the repository in the current directory first
  --help          show this

Environment:
  STANCH_INSTALL_DIR   where the binary goes; $HOME/.local/bin when not set
  CARGO_TARGET_DIR     where cargo builds; `target` in the checkout when not set

Exit codes: 0 done, 1 not done, 2 wrong usage.
END
}

say() {
    printf '%s\n' "$*"
}

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

usage_error() {
    printf 'install.sh: %s (see --help)\n' "$*" >&2
    exit 2
}

# Prints the absolute path of a directory that exists.
absolute() {
    (unset CDPATH && cd -- "$1" && pwd)
}

sha256_of() {
    # Read from standard input, so that no file name can be taken for an option or be escaped in the output.
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum <"$1" | cut -d ' ' -f 1
    elif command -v shasum >/dev/null 2>&1; then
        shasum -a 256 <"$1" | cut -d ' ' -f 1
    elif command -v openssl >/dev/null 2>&1; then
        openssl dgst -sha256 <"$1" | sed 's/^.* //'
    else
        fail 'none of sha256sum, shasum and openssl is there to verify the sum'
    fi
}

# Prints the name that a release has for this kind of machine.
kind_of_machine() {
    case $(uname -m) in
    x86_64 | amd64) cpu=x86_64 ;;
    aarch64 | arm64) cpu=aarch64 ;;
    *) fail "there is no release for a machine of the kind $(uname -m); build it: install.sh without --release" ;;
    esac
    case $(uname -s) in
    Linux) printf '%s-unknown-linux-musl' "$cpu" ;;
    Darwin) printf '%s-apple-darwin' "$cpu" ;;
    MINGW* | MSYS* | CYGWIN*) printf '%s-pc-windows-msvc' "$cpu" ;;
    *) fail "there is no release for $(uname -s); build it: install.sh without --release" ;;
    esac
}

download() {
    # No other protocol, not even after a redirection; file is for mirrors.
    case $1 in
    https://* | file://*) ;;
    *) fail "$1 is neither https nor file, so nothing is downloaded from there" ;;
    esac
    if command -v curl >/dev/null 2>&1; then
        curl --fail --silent --show-error --location --proto '=https,file' --proto-redir '=https' --output "$2" -- "$1"
    elif command -v wget >/dev/null 2>&1; then
        wget --quiet --https-only --output-document="$2" -- "$1"
    else
        fail 'neither curl nor wget is there to download the release'
    fi || fail "cannot download $1"
}

# Leaves the archive for this machine in $work and names it in $from, and its sum in $sha256.
take_release() {
    archive=stanch-$(kind_of_machine).tar.gz || exit 1
    if [ -z "$sha256" ]; then
        download "$release/SHA256SUMS" "$work/SHA256SUMS"
        sha256=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
        case $sha256 in
        '' | *[!0-9a-f]*) fail "$release/SHA256SUMS has no sum, or more than one, of $archive" ;;
        esac
    fi
    download "$release/$archive" "$work/$archive"
    from=$work/$archive
}

# Leaves the verified binary in $work/$name.
take_from_file() {
    [ -f "$from" ] || fail "there is no file $from"
    # The sum is taken from a copy, and the copy is used: nobody can change the file in between.
    cp -- "$from" "$work/file" || fail "cannot read $from"
    actual=$(sha256_of "$work/file")
    if [ "$actual" != "$sha256" ]; then
        fail "the SHA-256 sum of $from is $actual and not $sha256; nothing was installed"
    fi
    if tar -tf "$work/file" >/dev/null 2>&1; then
        mkdir -- "$work/archive"
        tar -xf "$work/file" -C "$work/archive" || fail "cannot unpack $from"
        for found in "$work/archive/$name" "$work/archive"/*/"$name"; do
            if [ -f "$found" ] && [ ! -L "$found" ]; then
                cp -- "$found" "$work/$name"
                return
            fi
        done
        fail "$from holds no $name, neither at the top nor one directory below"
    fi
    cp -- "$work/file" "$work/$name"
}

# Builds in the checkout and leaves the binary in $work/$name.
build_from_source() {
    root=$(absolute "$(dirname -- "$0")")
    if ! grep -q '^name = "stanch"$' "$root/Cargo.toml" 2>/dev/null; then
        fail "$root is no checkout of stanch; run install.sh where it lies, or use --from"
    fi
    if ! command -v cargo >/dev/null 2>&1; then
        fail 'cargo is not there to build stanch; install Rust (https://rustup.rs), or use --from'
    fi
    say "building stanch in $root"
    # cargo reads a relative directory from where it runs, and so does the copy after it.
    cd -- "$root"
    build_dir=${CARGO_TARGET_DIR:-target}
    cargo build --release --locked --bin stanch --target-dir "$build_dir" || fail 'the build failed'
    if [ ! -f "$build_dir/release/$name" ]; then
        fail "cargo left no $name in $build_dir/release; does a configuration set build.target?"
    fi
    cp -- "$build_dir/release/$name" "$work/$name"
    cd -- "$here"
}

# Moves the binary into its place in one step, once it has shown that it runs here.
put_in_place() {
    mkdir -p -- "$dir" || fail "cannot make the directory $dir"
    dir=$(absolute "$dir")
    target=$dir/$name
    [ ! -d "$target" ] || fail "$target is a directory"
    new=$dir/.stanch-new.$$
    cp -- "$work/$name" "$new" || fail "cannot write to $dir"
    chmod 755 "$new"
    version=$("$new" --version) || fail 'the binary does not run on this machine; nothing was installed'
    mv -f -- "$new" "$target"
    new=
    say "installed $version as $target"
}

tell_about_path() {
    case ":$PATH:" in
    *":$dir:"*)
        first=$(command -v stanch || true)
        if [ "$first" != "$target" ] && [ "$first" != "$dir/stanch" ]; then
            say "note: \`stanch\` is $first, which comes before $dir on PATH"
        fi
        ;;
    *)
        say "note: $dir is not on PATH; add this line to the profile of your shell:"
        # shellcheck disable=SC2016 # $PATH is for the profile, not for now.
        printf '  export PATH="%s:$PATH"\n' "$dir"
        ;;
    esac
}

uninstall() {
    target=$dir/$name
    if [ "$hook" = yes ]; then
        [ -f "$target" ] || fail "there is no $target to remove the hook with; see \`stanch hook uninstall\`"
        "$target" hook uninstall || fail "the hook was not removed, so $target stays"
    fi
    if [ -f "$target" ] || [ -L "$target" ]; then
        rm -f -- "$target" || fail "cannot remove $target"
        say "removed $target"
    else
        say "there is no $target"
    fi
}

clean_up() {
    [ -z "$work" ] || rm -rf -- "$work"
    [ -z "$new" ] || rm -f -- "$new"
}

from=
release=
sha256=
hook=no
uninstall=no
while [ $# -gt 0 ]; do
    case $1 in
    --from | --release | --sha256)
        [ $# -ge 2 ] || usage_error "$1 needs a value"
        case $1 in
        --from) from=$2 ;;
        --release) release=${2%/} ;;
        *) sha256=$(printf '%s' "$2" | tr 'A-F' 'a-f') ;;
        esac
        shift
        ;;
    --hook) hook=yes ;;
    --uninstall) uninstall=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) usage_error "unknown option $1" ;;
    esac
    shift
done

if [ "$uninstall" = yes ] && [ -n "$from$release$sha256" ]; then
    usage_error '--uninstall goes with none of --from, --release and --sha256'
fi
if [ -n "$from" ] && [ -n "$release" ]; then
    usage_error '--from and --release exclude each other'
fi
if [ -n "$from" ] && [ -z "$sha256" ]; then
    usage_error '--from needs --sha256: nothing runs unverified'
fi
if [ -z "$from$release" ] && [ -n "$sha256" ]; then
    usage_error '--sha256 needs --from or --release'
fi
case $sha256 in
*[!0-9a-f]*) usage_error '--sha256 takes 64 hexadecimal digits' ;;
esac
if [ -n "$sha256" ] && [ ${#sha256} -ne 64 ]; then
    usage_error '--sha256 takes 64 hexadecimal digits'
fi

if [ -n "${STANCH_INSTALL_DIR:-}" ]; then
    dir=$STANCH_INSTALL_DIR
elif [ -n "${HOME:-}" ]; then
    dir=$HOME/.local/bin
else
    usage_error 'neither STANCH_INSTALL_DIR nor HOME is set'
fi
case $dir in
/*) ;;
*) dir=$PWD/$dir ;;
esac

here=$PWD
name=stanch
case $(uname -s) in
MINGW* | MSYS* | CYGWIN*) name=stanch.exe ;;
esac

if [ "$uninstall" = yes ]; then
    uninstall
    exit 0
fi

work=
new=
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
work=$(mktemp -d "${TMPDIR:-/tmp}/stanch-install.XXXXXX") || fail 'cannot make a temporary directory'
[ -z "$release" ] || take_release
if [ -n "$from" ]; then
    take_from_file
else
    build_from_source
fi
put_in_place
tell_about_path
if [ "$hook" = yes ]; then
    "$target" hook install || fail "stanch is installed, but the hook of $here is not"
fi
