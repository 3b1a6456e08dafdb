//! What the JVM must hand over before anything else: the app's context, and with it its class loader.
//!
//! A thread that Rust attaches finds only the system's classes, so the loader is kept here, on the app's own thread, for
//! TLS to ask the platform whom it trusts. Sound needs nothing of the kind: oboe speaks to AAudio. Called after
//! `System.loadLibrary`: JNA alone would never let us know the JVM.

use jni::errors::ThrowRuntimeExAndDefault;
use jni::objects::{JClass, JObject};
use jni::{Env, EnvUnowned};

/// `org.offhook.app.core.Native.init(context)`: a second call changes nothing. What fails is thrown as a `RuntimeException`.
#[expect(unsafe_code, reason = "exported by the name that the JVM looks for")]
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_offhook_app_core_Native_init<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: JObject<'local>,
) {
    env.with_env(|env: &mut Env<'_>| rustls_platform_verifier::android::init_with_env(env, context))
        .resolve::<ThrowRuntimeExAndDefault>();
}
