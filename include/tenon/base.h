/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/base.h - status, errors, allocators, loggers, limits and version
 *
 * Everything in the library reports failure by a tn_status and, when the
 * caller passes one, a tn_err that says where and what. Nothing here prints,
 * exits or changes process state.
 */
#ifndef TENON_BASE_H
#define TENON_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TN_VERSION_MAJOR 0
#define TN_VERSION_MINOR 1
#define TN_VERSION_PATCH 0
#define TN_VERSION_STRING "0.1.0"

#if defined(_WIN32)
#define TN_API __declspec(dllexport)
#elif defined(__GNUC__) || defined(__clang__)
#define TN_API __attribute__((visibility("default")))
#else
#define TN_API
#endif

#if defined(__GNUC__) || defined(__clang__)
#define TN_NODISCARD           __attribute__((warn_unused_result))
#define TN_PRINTF(fmt_i, args_i) __attribute__((format(printf, fmt_i, args_i)))
#else
#define TN_NODISCARD
#define TN_PRINTF(fmt_i, args_i)
#endif

/**
 * What kind of thing happened, for programs to branch on. Values are pinned
 * and the list only ever grows at its end.
 */
typedef enum tn_status {
    TN_OK = 0,           /* done */
    TN_EINVAL = 1,       /* the caller passed something that cannot be right */
    TN_ENOMEM = 2,       /* the allocator returned NULL */
    TN_EIO = 3,          /* the operating system refused a read or a write */
    TN_EFORMAT = 4,      /* input bytes are not what they claim to be */
    TN_EUNSUPPORTED = 5, /* valid, but outside what this build can do */
    TN_ELIMIT = 6,       /* a tn_limits value would be exceeded */
    TN_ENOTFOUND = 7,    /* a name or a file does not exist */
    TN_EBUSY = 8,        /* in use elsewhere */
    TN_ECANCELED = 9,    /* canceled by the caller */
    TN_ETIMEOUT = 10,    /* ran past its deadline */
    TN_EINTERNAL = 11    /* a broken invariant of the library: please report */
} tn_status;

/**
 * Returns the constant's name without prefix, "EFORMAT" for TN_EFORMAT;
 * "UNKNOWN" for a value outside the list. Never NULL.
 * Threads: any.
 */
TN_API const char *tn_status_name(tn_status status);

/**
 * Detail of a failure, owned and provided by the caller; every function that
 * takes one accepts NULL. Always exactly 512 bytes, no pointers inside, so it
 * can be copied, kept and sent anywhere.
 */
typedef struct tn_err {
    tn_status code;
    int32_t line;      /* 1-based line of a text input, 0 if none */
    uint64_t offset;   /* byte offset in a binary input, 0 if none */
    char where[176];   /* "model.onnx: node 17 'conv1' (Conv)" */
    char message[320]; /* one English sentence: found, expected, fix */
} tn_err;

/**
 * Memory provider. One per object, never global; a NULL allocator means the
 * C library's.
 *
 * alloc returns `size` bytes aligned to `align` (a power of two, at least 1)
 * or NULL; free gets the very size and alignment that were asked for.
 * Threads: both may be called from any thread that uses the object.
 */
typedef struct tn_allocator {
    void *ctx;
    void *(*alloc)(void *ctx, size_t size, size_t align);
    void (*free)(void *ctx, void *ptr, size_t size, size_t align);
} tn_allocator;

typedef enum tn_log_level {
    TN_LOG_ERROR = 0,
    TN_LOG_WARN = 1,
    TN_LOG_INFO = 2,
    TN_LOG_DEBUG = 3,
    TN_LOG_TRACE = 4
} tn_log_level;

/**
 * Receives records for what has no return path. `event` is a constant dotted
 * name, `fields` is "key=value key=value". A NULL logger is silent.
 * Threads: called from any thread, one call at a time per logger.
 */
typedef struct tn_logger {
    void *ctx;
    tn_log_level level;
    void (*write)(void *ctx, tn_log_level level, const char *event,
                  const char *fields);
} tn_logger;

/**
 * Upper bounds on what outside input may ask for; exceeding one is TN_ELIMIT,
 * never an allocation attempt. Set struct_size (TN_LIMITS_INIT does).
 * A 0 in any member means that member's default.
 */
typedef struct tn_limits {
    size_t struct_size;
    uint64_t max_file_bytes;   /* one model or tensor file; 64 GiB */
    uint64_t max_tensor_bytes; /* one tensor; 16 GiB */
    uint64_t max_total_bytes;  /* all memory of one object; 64 GiB */
    uint32_t max_nodes;        /* in one model, after inlining; 1,000,000 */
    uint32_t max_nesting;      /* subgraphs, types, messages; 32 */
    uint32_t max_rank;         /* dimensions of a tensor; 16 */
    uint32_t max_name_bytes;   /* one name; 65,536 */
    uint64_t max_loop_trips;   /* iterations of one Loop or Scan; 2^32 */
    uint64_t max_image_pixels; /* of one image to decode; 2^28 */
} tn_limits;

#define TN_LIMITS_INIT {sizeof(tn_limits), 0, 0, 0, 0, 0, 0, 0, 0, 0}

/** Version of the linked library, "0.1.0". Threads: any. */
TN_API const char *tn_version(void);

/**
 * The CPU feature bundles of the reference order, as bits of a mask. A mask
 * restricts which kernels are chosen; bits the CPU lacks are ignored.
 */
typedef enum tn_isa {
    TN_ISA_REF = 0,                /* plain C only */
    TN_ISA_AVX2 = 1 << 0,          /* AVX2 + FMA + F16C + BMI2 */
    TN_ISA_AVX512 = 1 << 1,        /* AVX-512 F + BW + DQ + VL */
    TN_ISA_AVX512_VNNI = 1 << 2,   /* AVX512 + VNNI */
    TN_ISA_AVX512_BF16 = 1 << 3,   /* AVX512 + BF16 */
    TN_ISA_AVXVNNI = 1 << 4,       /* AVX2 + AVX-VNNI */
    TN_ISA_NEON = 1 << 8,          /* AArch64 baseline */
    TN_ISA_NEON_DOT = 1 << 9,      /* + SDOT/UDOT */
    TN_ISA_NEON_FP16 = 1 << 10     /* + half arithmetic */
} tn_isa;

/** Every bundle the CPU and the operating system offer. Threads: any. */
TN_API uint32_t tn_cpu_isa(void);

/**
 * Parses "ref", "avx2", "avx512", "neon", "native" or a comma list of bundle
 * names into a mask: a name means that bundle and those below it.
 * Returns TN_EINVAL with the list of known names otherwise.
 */
TN_API TN_NODISCARD tn_status tn_isa_parse(uint32_t *mask, const char *text,
                                           tn_err *err);

/** Writes "avx2,avx512" style names of `mask` to buf (always terminated). */
TN_API void tn_isa_format(char *buf, size_t size, uint32_t mask);

/** What one core of this machine can do, measured. */
typedef struct tn_machine_peak {
    double gflops; /* fp32 multiply-adds with the widest vectors, 10^9/s */
    double gbytes; /* bytes read and written by a copy beyond the caches */
} tn_machine_peak;

/**
 * Measures the peak of the core it runs on; takes about 50 ms.
 * Threads: any; another load on the core lowers what it finds.
 */
TN_API void tn_cpu_measure_peak(tn_machine_peak *peak);

#ifdef __cplusplus
}
#endif

#endif /* TENON_BASE_H */
