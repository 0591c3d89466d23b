/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/tensor.h - dtypes, tensors, sequences and maps; reading and writing
 *
 * A tn_tensor is a value: a dense tensor, or one of ONNX's containers (a
 * sequence, an optional, a map). Element layout is C order, no padding.
 * Integers of 2 and 4 bits and FLOAT4 hold one element per byte in memory
 * (sign-extended where signed); files pack them as ONNX defines.
 *
 * Threads: a tn_tensor is immutable once built; any number of readers.
 */
#ifndef TENON_TENSOR_H
#define TENON_TENSOR_H

#include "tenon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Element types, with TensorProto's numbers. */
typedef enum tn_dtype {
    TN_UNDEFINED = 0,
    TN_F32 = 1,
    TN_U8 = 2,
    TN_I8 = 3,
    TN_U16 = 4,
    TN_I16 = 5,
    TN_I32 = 6,
    TN_I64 = 7,
    TN_STRING = 8,
    TN_BOOL = 9,
    TN_F16 = 10,
    TN_F64 = 11,
    TN_U32 = 12,
    TN_U64 = 13,
    TN_C64 = 14,
    TN_C128 = 15,
    TN_BF16 = 16,
    TN_F8E4M3FN = 17,
    TN_F8E4M3FNUZ = 18,
    TN_F8E5M2 = 19,
    TN_F8E5M2FNUZ = 20,
    TN_U4 = 21,
    TN_I4 = 22,
    TN_F4E2M1 = 23,
    TN_F8E8M0 = 24,
    TN_U2 = 25,
    TN_I2 = 26
} tn_dtype;

enum { TN_DTYPE_COUNT = 27, TN_MAX_RANK = 16 };

/** What a value is. */
typedef enum tn_kind {
    TN_KIND_NONE = 0, /* unknown, or an omitted value */
    TN_KIND_TENSOR = 1,
    TN_KIND_SEQUENCE = 2,
    TN_KIND_OPTIONAL = 3,
    TN_KIND_MAP = 4
} tn_kind;

/** Bytes of one element in memory; 16 for TN_STRING (a tn_string). */
TN_API size_t tn_dtype_size(tn_dtype dtype);
/** "float32", "int64", "string" …: NumPy's names where it has one. */
TN_API const char *tn_dtype_name(tn_dtype dtype);

/** One string element: bytes (UTF-8 by convention), not terminated. */
typedef struct tn_string {
    const char *ptr;
    size_t len;
} tn_string;

typedef struct tn_tensor tn_tensor;

/**
 * Makes a tensor with its own zeroed memory, 64-byte aligned.
 *
 * @param dims   rank extents, each >= 0; NULL allowed when rank is 0.
 * @return TN_OK; TN_EINVAL a bad dtype, rank or extent; TN_ELIMIT the size
 *         overflows; TN_ENOMEM.
 * Ownership: the caller frees *out with tn_tensor_free.
 */
TN_API TN_NODISCARD tn_status tn_tensor_new(tn_tensor **out, tn_dtype dtype,
                                            int rank, const int64_t *dims,
                                            const tn_allocator *allocator,
                                            tn_err *err);

/**
 * Makes a tensor over the caller's memory, which must stay valid and unchanged
 * in size until the tensor is freed. `size_bytes` must be at least the size of
 * the elements; alignment at least that of the element.
 */
TN_API TN_NODISCARD tn_status tn_tensor_wrap(tn_tensor **out, tn_dtype dtype,
                                             int rank, const int64_t *dims,
                                             void *data, size_t size_bytes,
                                             const tn_allocator *allocator,
                                             tn_err *err);

/**
 * Makes a string tensor from `len` tn_strings; the bytes are copied.
 */
TN_API TN_NODISCARD tn_status tn_tensor_new_strings(
    tn_tensor **out, int rank, const int64_t *dims, const tn_string *strings,
    const tn_allocator *allocator, tn_err *err);

/** Deep copy of any value, containers included. */
TN_API TN_NODISCARD tn_status tn_tensor_clone(tn_tensor **out,
                                              const tn_tensor *value,
                                              const tn_allocator *allocator,
                                              tn_err *err);

TN_API void tn_tensor_free(tn_tensor *tensor);

TN_API tn_kind tn_tensor_kind(const tn_tensor *tensor);
/** Element type; for a map, its key type; for a sequence, of its elements. */
TN_API tn_dtype tn_tensor_dtype(const tn_tensor *tensor);
TN_API int tn_tensor_rank(const tn_tensor *tensor);
/** `rank` extents, borrowed from the tensor. */
TN_API const int64_t *tn_tensor_dims(const tn_tensor *tensor);
/** Elements of a tensor, items of a sequence, pairs of a map, 0 or 1. */
TN_API int64_t tn_tensor_len(const tn_tensor *tensor);
/** Bytes of the elements in memory; 0 for containers. */
TN_API size_t tn_tensor_size(const tn_tensor *tensor);
/** First element, borrowed; NULL for containers. TN_STRING: tn_string[]. */
TN_API void *tn_tensor_data(tn_tensor *tensor);
TN_API const void *tn_tensor_cdata(const tn_tensor *tensor);

/**
 * Item i of a sequence, the value of an optional (i = 0); of a map, its keys
 * (i = 0) and its values (i = 1) as one-dimensional tensors or a sequence.
 * NULL when there is none. Borrowed from the tensor.
 */
TN_API const tn_tensor *tn_tensor_item(const tn_tensor *tensor, int64_t i);

/**
 * Writes element `i` in C order as text, "0.25", "-3", "true" or the string
 * itself, cut to `size` and always terminated; returns its full length.
 */
TN_API size_t tn_tensor_format(const tn_tensor *tensor, int64_t i, char *buf,
                               size_t size);

/**
 * Element i as a double (0 for strings). Every numeric dtype, fp8 and int4
 * included; a complex gives its real part.
 */
TN_API double tn_tensor_get(const tn_tensor *tensor, int64_t i);

/** Options of tn_tensor_read. */
typedef struct tn_read_opts {
    size_t struct_size;
    const tn_allocator *allocator; /* NULL: the C library's */
    const tn_limits *limits;       /* NULL: defaults */
    /* For `.pb`: what the bytes are; TN_KIND_NONE guesses a TensorProto. */
    tn_kind kind;
    /* For `.npz`: the member wanted; NULL takes the only one. */
    const char *member;
} tn_read_opts;

#define TN_READ_OPTS_INIT {sizeof(tn_read_opts), NULL, NULL, TN_KIND_NONE, NULL}

/**
 * Reads one value from a file: `.npy` (any C or Fortran order, either byte
 * order), a member of an `.npz` (stored or deflated), or an ONNX `.pb`
 * (TensorProto, SequenceProto, OptionalProto, MapProto). The format is told
 * by the file's first bytes, its name only as a tie-break.
 *
 * @return TN_OK; TN_EIO, TN_EFORMAT (err->offset says where),
 *         TN_EUNSUPPORTED (object arrays, structured dtypes), TN_ELIMIT.
 */
TN_API TN_NODISCARD tn_status tn_tensor_read(tn_tensor **out, const char *path,
                                             const tn_read_opts *opts,
                                             tn_err *err);

/**
 * Walks the members of an `.npz` in file order: calls `each` with the member's
 * name (".npy" taken off) and its value, owned by the callee from then on.
 * A status other than TN_OK from `each` ends the walk and is returned.
 */
TN_API TN_NODISCARD tn_status
tn_npz_read(const char *path, const tn_read_opts *opts,
            tn_status (*each)(void *ctx, const char *name, tn_tensor *value),
            void *ctx, tn_err *err);

/**
 * Writes a tensor as `.npy` (version 1.0, C order, little endian), through a
 * temporary name renamed at the end. bf16, fp8 and packed integers are
 * written as float32 or int8/uint8 with the value preserved; strings as
 * `<U`.  TN_EUNSUPPORTED for containers.
 */
TN_API TN_NODISCARD tn_status tn_tensor_write_npy(const tn_tensor *tensor,
                                                  const char *path,
                                                  tn_err *err);

/** How far two tensors are apart. */
typedef struct tn_diff {
    double max_abs;      /* largest |a - b|; infinity where only one is NaN */
    double max_rel;      /* largest |a - b| / |b| over b != 0 */
    double max_ulp;      /* in units of the dtype's last place; floats only */
    int64_t first_bad;   /* first element out of tolerance, -1 if none */
    int64_t n_bad;       /* elements out of tolerance */
} tn_diff;

/**
 * Compares `got` with `want`: |got - want| <= atol + rtol * |want| for floats
 * (NaN equals NaN, infinities by sign), equality for everything else.
 * Containers compare item by item. Dtype, kind or shape apart is TN_EINVAL
 * with both in the message.
 */
TN_API TN_NODISCARD tn_status tn_tensor_compare(tn_diff *diff,
                                                const tn_tensor *got,
                                                const tn_tensor *want,
                                                double rtol, double atol,
                                                tn_err *err);

#ifdef __cplusplus
}
#endif

#endif /* TENON_TENSOR_H */
