/* What bionic's crtbegin_so.o gives each library: a handle of its own, and the running of its exit functions when it
 * is closed. Source: the Itanium C++ ABI, section 3.3.6. */
extern void __cxa_finalize(void *handle);
extern int __cxa_atexit(void (*run)(void *), void *argument, void *handle);

__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;

__attribute__((visibility("hidden"))) int atexit(void (*run)(void)) {
  return __cxa_atexit((void (*)(void *))run, 0, &__dso_handle);
}

__attribute__((destructor)) static void on_close(void) { __cxa_finalize(&__dso_handle); }
