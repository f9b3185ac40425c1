#!/bin/sh
# Builds attache.aar. Needs the Android NDK (ANDROID_NDK_HOME), cargo-ndk, the rustup targets below, Maven and zip.
# With --dry-run it prints the commands of all these and runs none of them: that is what `cargo xtask phones` does, where
# no NDK is at hand.
set -eu
cd "$(dirname "$0")"
case ${1:-} in
    --dry-run) run() { echo "$*"; } ;;
    '')
        run() { "$@"; }
        : "${ANDROID_NDK_HOME:?set it to the folder of the Android NDK}"
        ;;
    *) echo "usage: $0 [--dry-run]" >&2; exit 2 ;;
esac
version=$(sed -n 's|^  <version>\(.*\)</version>$|\1|p' pom.xml)
out=target/aar
run rm -rf "$out"
mkdir -p "$out/jni"
# SQLite and, with the feature, OpenSSL are compiled by the NDK's compiler. 16 KiB pages: newer phones map no others.
RUSTFLAGS="-C link-arg=-Wl,-z,max-page-size=16384"
export RUSTFLAGS
run cargo ndk --platform 26 \
    --target aarch64-linux-android --target armv7-linux-androideabi --target x86_64-linux-android \
    --output-dir "$out/jni" build --release --package attache-uniffi ${ATTACHE_FEATURES:+--features "$ATTACHE_FEATURES"}
run mvn -q -B package -DskipTests
run cp "target/attache-$version.jar" "$out/classes.jar"
cat > "$out/AndroidManifest.xml" <<'MANIFEST'
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="attache">
    <uses-sdk android:minSdkVersion="26" />
    <uses-permission android:name="android.permission.INTERNET" />
</manifest>
MANIFEST
# R8 does not see what JNA finds by name.
cat > "$out/proguard.txt" <<'RULES'
-keep class com.sun.jna.** { *; }
-keep class attache.** { *; }
-dontwarn java.awt.**
-dontwarn java.lang.ref.Cleaner**
RULES
(cd "$out" && run zip -qr ../attache.aar .)
echo "target/attache.aar"
