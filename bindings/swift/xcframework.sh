#!/bin/sh
# Makes AttacheFFI.xcframework beside this file. Needs a Mac with Xcode, and the rustup targets below.
# With --dry-run it prints its commands and runs none of them: that is what `cargo xtask phones` does, where no Mac is
# at hand.
set -eu
cd "$(dirname "$0")"
case ${1:-} in
    --dry-run) run() { echo "$*"; } ;;
    '') run() { "$@"; } ;;
    *) echo "usage: $0 [--dry-run]" >&2; exit 2 ;;
esac
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
for triple in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin; do
    run cargo build --manifest-path "$root/Cargo.toml" --release --package attache-uniffi --target "$triple" \
        ${ATTACHE_FEATURES:+--features "$ATTACHE_FEATURES"}
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/simulator" "$out/mac"
name=libattache_uniffi.a
run lipo -create "$target/aarch64-apple-ios-sim/release/$name" "$target/x86_64-apple-ios/release/$name" \
    -output "$out/simulator/$name"
run lipo -create "$target/aarch64-apple-darwin/release/$name" "$target/x86_64-apple-darwin/release/$name" \
    -output "$out/mac/$name"
headers=Sources/AttacheFFI/include
run rm -rf AttacheFFI.xcframework
run xcodebuild -create-xcframework \
    -library "$target/aarch64-apple-ios/release/$name" -headers "$headers" \
    -library "$out/simulator/$name" -headers "$headers" \
    -library "$out/mac/$name" -headers "$headers" \
    -output AttacheFFI.xcframework
