/* Whether this build looks for its own faults. */
#ifndef BASE_SANITIZER_H
#define BASE_SANITIZER_H

/* gcc says it by a macro, clang by a feature. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZER 1 /* its leak checker reports at exit(), and needs ptrace for it */
#else
#define SANITIZER 0
#endif

#endif
