// Not run by the repository's own check: see settings.gradle.kts.
import org.gradle.api.tasks.Exec

plugins {
    alias(libs.plugins.android.application)
}

val repository = rootDir.parentFile

// Where scripts/bindings leaves the generated Kotlin, and scripts/android-native the core for each ABI.
val cache: Provider<String> =
    providers.environmentVariable("OFFHOOK_CACHE")
        .orElse(providers.environmentVariable("XDG_CACHE_HOME").map { "$it/offhook" })
        .orElse(providers.systemProperty("user.home").map { "$it/.cache/offhook" })

// The repository has one version, the workspace's.
val appVersion: String =
    providers.fileContents(layout.projectDirectory.file("../../Cargo.toml")).asText
        .map { Regex("""(?m)^version = "(.+)"""").find(it)!!.groupValues[1] }
        .get()

android {
    namespace = "org.offhook.app"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        applicationId = "org.offhook.app"
        minSdk = libs.versions.minSdk.get().toInt()
        targetSdk = libs.versions.targetSdk.get().toInt()
        versionName = appVersion
        versionCode = appVersion.split('.').fold(0) { code, part -> code * 1000 + part.toInt() }
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
        }
    }

    splits {
        abi {
            isEnable = true
            reset()
            include("arm64-v8a", "x86_64")
            isUniversalApk = false
        }
    }

    packaging {
        // Libraries are mapped from the APK as they lie, not unpacked at installation.
        jniLibs.useLegacyPackaging = false
    }

    sourceSets {
        named("main") {
            kotlin.directories += "${cache.get()}/bindings/kotlin"
            jniLibs.directories += "${cache.get()}/android/lib"
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.toVersion(libs.versions.jvm.get())
        targetCompatibility = JavaVersion.toVersion(libs.versions.jvm.get())
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all {
                val library = "${repository.path}/target/debug"
                it.systemProperty("jna.library.path", library)
                it.systemProperty("java.library.path", library)
                it.systemProperty("offhook.bin", "$library/offhook")
                it.systemProperty("offhook.pictures", "$rootDir/screenshots")
                it.systemProperty("offhook.pictures.taken", "$rootDir/build/pictures")
                it.systemProperty("robolectric.pixelCopyRenderMode", "hardware")
            }
        }
    }

    lint {
        lintConfig = file("lint.xml")
        warningsAsErrors = true
    }
}

dependencies {
    implementation(variantOf(libs.jna) { artifactType("aar") })
    testImplementation(libs.jna)
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
}

// The bindings come from the core as it is now. The core for the phone itself is built by scripts/android-native, which
// takes minutes: run it by hand when the core has changed.
val bindings by tasks.registering(Exec::class) {
    workingDir = repository
    commandLine("scripts/bindings", "kotlin")
}

tasks.named("preBuild") { dependsOn(bindings) }

// Tests call the core itself, and its console program as the other end.
val hostCore by tasks.registering(Exec::class) {
    workingDir = repository
    environment("CARGO_TARGET_DIR", "${repository.path}/target")
    commandLine("cargo", "build", "-p", "offhook-ffi", "-p", "offhook-console")
}

tasks.withType<Test>().configureEach { dependsOn(hostCore) }
