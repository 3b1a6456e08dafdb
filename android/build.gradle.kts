// The Android plugin compiles Kotlin by itself; naming the Kotlin plugin here only chooses its version.
buildscript {
    dependencies {
        classpath(libs.kotlin.gradle.plugin)
    }
}

plugins {
    alias(libs.plugins.android.application) apply false
}
