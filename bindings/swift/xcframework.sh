#!/bin/sh
# Makes AttacheFFI.xcframework beside this file. Needs a Mac with Xcode, and the rustup targets below.
# Not run by `cargo xtask test`: no Mac is at hand there.
set -eu
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
features=${ATTACHE_FEATURES:+--features $ATTACHE_FEATURES}
for triple in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin; do
    # shellcheck disable=SC2086 # two words on purpose
    cargo build --manifest-path "$root/Cargo.toml" --release --package attache-uniffi --target "$triple" $features
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/simulator" "$out/mac"
name=libattache_uniffi.a
lipo -create "$target/aarch64-apple-ios-sim/release/$name" "$target/x86_64-apple-ios/release/$name" \
    -output "$out/simulator/$name"
lipo -create "$target/aarch64-apple-darwin/release/$name" "$target/x86_64-apple-darwin/release/$name" \
    -output "$out/mac/$name"
headers=Sources/AttacheFFI/include
rm -rf AttacheFFI.xcframework
xcodebuild -create-xcframework \
    -library "$target/aarch64-apple-ios/release/$name" -headers "$headers" \
    -library "$out/simulator/$name" -headers "$headers" \
    -library "$out/mac/$name" -headers "$headers" \
    -output AttacheFFI.xcframework
