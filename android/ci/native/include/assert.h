/* bionic's assert: what fails goes to __assert2. Without a guard, as the standard asks: NDEBUG may change between. */
#undef assert
#ifdef NDEBUG
#define assert(e) ((void)0)
#else
#define assert(e) ((e) ? (void)0 : __assert2(__FILE__, __LINE__, __func__, #e))
#endif
#if !defined(__cplusplus) && (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 202311L)
#undef static_assert
#define static_assert _Static_assert
#endif
#ifdef __cplusplus
extern "C" {
#endif
void __assert2(const char *file, int line, const char *function, const char *what) __attribute__((noreturn));
#ifdef __cplusplus
}
#endif
