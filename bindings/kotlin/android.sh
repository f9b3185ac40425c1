#!/bin/sh
# Builds attache.aar. Needs the Android NDK (ANDROID_NDK_HOME), cargo-ndk, the rustup targets below, Maven and zip.
# Not run by `cargo xtask test`: no NDK is at hand there.
set -eu
cd "$(dirname "$0")"
: "${ANDROID_NDK_HOME:?set it to the folder of the Android NDK}"
out=target/aar
rm -rf "$out"
mkdir -p "$out/jni"
# SQLite and, with the feature, OpenSSL are compiled by the NDK's compiler. 16 KiB pages: newer phones map no others.
RUSTFLAGS="-C link-arg=-Wl,-z,max-page-size=16384" cargo ndk --platform 26 \
    --target aarch64-linux-android --target armv7-linux-androideabi --target x86_64-linux-android \
    --output-dir "$out/jni" build --release --package attache-uniffi ${ATTACHE_FEATURES:+--features "$ATTACHE_FEATURES"}
mvn -q -B package -DskipTests
cp target/attache-0.1.0.jar "$out/classes.jar"
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
(cd "$out" && zip -qr ../attache.aar .)
echo "target/attache.aar"
