/* What bionic has and glibc lacks, or spells or lays out otherwise, for running an Android library under glibc.
 * A function shim_NAME here is what the library gets for NAME; any other name goes to glibc itself. See shim.py.
 * Source: bionic's public headers. It covers what our library calls, and no more. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int *shim___errno(void) { return &errno; }

int shim___register_atfork(void (*before)(void), void (*parent)(void), void (*child)(void), void *handle) {
  (void)handle;
  return pthread_atfork(before, parent, child);
}

void shim___assert2(const char *file, int line, const char *function, const char *what) {
  fprintf(stderr, "%s:%d: %s: %s\n", file, line, function, what);
  abort();
}

void shim_android_set_abort_message(const char *text) { fprintf(stderr, "aborts: %s\n", text); }

size_t shim___strlen_chk(const char *text, size_t size) {
  (void)size;
  return strlen(text);
}

char *shim___strchr_chk(const char *text, int wanted, size_t size) {
  (void)size;
  return strchr(text, wanted);
}

int shim___sched_cpucount(size_t size, const unsigned long *set) {
  return CPU_COUNT_S(size, (const cpu_set_t *)set);
}

/* An Android 8.1 without a maker: the first that oboe takes AAudio on, and nothing that it knows quirks of. */
int shim___system_property_get(const char *name, char *value) {
  strcpy(value, strcmp(name, "ro.build.version.sdk") == 0 ? "27" : "");
  return (int)strlen(value);
}

int shim___android_log_write(int priority, const char *tag, const char *text) {
  return fprintf(stderr, "log %d %s: %s\n", priority, tag ? tag : "", text);
}

int shim___android_log_vprint(int priority, const char *tag, const char *format, va_list args) {
  char text[1024];
  vsnprintf(text, sizeof text, format, args);
  return shim___android_log_write(priority, tag, text);
}

int shim___android_log_print(int priority, const char *tag, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int written = shim___android_log_vprint(priority, tag, format, args);
  va_end(args);
  return written;
}

/* bionic numbers its questions in another order. */
long shim_sysconf(int asked) {
  static const struct { int bionic, glibc; } names[] = {
      {0x00, _SC_ARG_MAX},         {0x06, _SC_CLK_TCK},          {0x0b, _SC_OPEN_MAX},
      {0x27, _SC_PAGESIZE},        {0x28, _SC_PAGESIZE},         {0x35, _SC_IOV_MAX},
      {0x47, _SC_GETGR_R_SIZE_MAX}, {0x48, _SC_GETPW_R_SIZE_MAX}, {0x60, _SC_NPROCESSORS_CONF},
      {0x61, _SC_NPROCESSORS_ONLN}, {0x62, _SC_PHYS_PAGES},      {0x63, _SC_AVPHYS_PAGES},
  };
  for (size_t at = 0; at < sizeof names / sizeof *names; at++)
    if (names[at].bionic == asked) return sysconf(names[at].glibc);
  fprintf(stderr, "shim: sysconf(%#x) is not known\n", asked);
  errno = EINVAL;
  return -1;
}

/* bionic's addrinfo has its last fields in BSD's order: name, address, next. */
struct bionic_addrinfo {
  int flags, family, socktype, protocol;
  socklen_t length;
  char *name;
  struct sockaddr *address;
  struct bionic_addrinfo *next;
};

void shim_freeaddrinfo(struct bionic_addrinfo *list) {
  while (list) {
    struct bionic_addrinfo *next = list->next;
    free(list->name);
    free(list->address);
    free(list);
    list = next;
  }
}

int shim_getaddrinfo(const char *node, const char *service, const struct bionic_addrinfo *hints,
                     struct bionic_addrinfo **result) {
  struct addrinfo *found = NULL, ours = {0};
  if (hints) {
    ours.ai_flags = hints->flags & (AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST); /* the same in both */
    ours.ai_family = hints->family;
    ours.ai_socktype = hints->socktype;
    ours.ai_protocol = hints->protocol;
  }
  int status = getaddrinfo(node, service, hints ? &ours : NULL, &found);
  *result = NULL;
  if (status != 0) return status;
  for (struct addrinfo *at = found; at; at = at->ai_next) {
    struct bionic_addrinfo *copy = calloc(1, sizeof *copy);
    copy->family = at->ai_family;
    copy->socktype = at->ai_socktype;
    copy->protocol = at->ai_protocol;
    copy->length = at->ai_addrlen;
    copy->address = malloc(at->ai_addrlen);
    memcpy(copy->address, at->ai_addr, at->ai_addrlen);
    copy->name = at->ai_canonname ? strdup(at->ai_canonname) : NULL;
    *result = copy;
    result = &copy->next;
  }
  freeaddrinfo(found);
  return 0;
}

/* No sound by OpenSL ES, SL_RESULT_FEATURE_UNSUPPORTED: aaudio.c has it. */
unsigned shim_slCreateEngine(void) { return 12; }
