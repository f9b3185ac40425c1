// swift-tools-version:5.9
import Foundation
import PackageDescription

// The folder of libattache_uniffi. `cargo xtask test` gives its own; where the library lies in one
// of the linker's own folders, none is needed.
let libraryPath = ProcessInfo.processInfo.environment["ATTACHE_LIBRARY_PATH"]
let linker: [LinkerSetting] = [.linkedLibrary("attache_uniffi")] + (libraryPath.map { [.unsafeFlags(["-L\($0)"])] } ?? [])

// What xcframework.sh makes: the library for Apple's systems, with its headers.
let framework = "AttacheFFI.xcframework"
let isMade = FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(framework)")

let package = Package(
    name: "AttacheKit",
    platforms: [.macOS(.v12), .iOS(.v15)],
    products: [.library(name: "AttacheKit", targets: ["AttacheKit"])],
    targets: [
        // The C face of the library, as Swift sees it. Generated.
        isMade
            ? .binaryTarget(name: "AttacheFFI", path: framework)
            : .systemLibrary(name: "AttacheFFI", path: "Sources/AttacheFFI/include"),
        .target(name: "AttacheKit", dependencies: ["AttacheFFI"], linkerSettings: isMade ? [] : linker),
        // main.swift is examples/Quickstart.swift: what the README shows is compiled and run.
        .executableTarget(name: "Quickstart", dependencies: ["AttacheKit"]),
        .testTarget(name: "AttacheKitTests", dependencies: ["AttacheKit"]),
    ]
)
