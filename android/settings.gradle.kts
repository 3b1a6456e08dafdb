// The app as an ordinary Gradle project, for people with the Android SDK. The repository's own check has no Gradle
// (scripts/android builds the same sources without), so what stands in these files has not been run by it: they keep to
// what the plugin's documentation shows.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositoriesMode = RepositoriesMode.FAIL_ON_PROJECT_REPOS
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "offhook"
include(":app")
