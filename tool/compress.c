// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "compress.h"

/*
 * Each thread holds a job's input, its output and tables of the size of the
 * window, so that these and their number are what memory depends on.
 */
#define WINDOW_LOG 20
#define JOB_SIZE (1024 * 1024)
#define MAX_WORKERS 4
/* From this level on the library would use tables that are larger than these. */
#define HEAVY_LEVEL 7
#define HEAVY_HASH_LOG 18
#define HEAVY_CHAIN_LOG 19

/* To NFS each is written and synced by itself. */
#define OUT_SIZE (1024 * 1024)

struct kcs_zstd {
	ZSTD_CCtx *context;
	char out[OUT_SIZE];
};

static int count_cpus(void)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : CPU_COUNT(&cpus);
}

static int count_workers(void)
{
	int cpus = count_cpus();

	return cpus < MAX_WORKERS ? cpus : MAX_WORKERS;
}

/* A library without threads takes no workers, and compresses all the same. */
struct kcs_zstd *kcs_zstd_create(int level)
{
	struct kcs_zstd *zstd = malloc(sizeof(*zstd));
	ZSTD_CCtx *context = ZSTD_createCCtx();

	if (!zstd || !context) {
		ZSTD_freeCCtx(context);
		free(zstd);
		return NULL;
	}
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, WINDOW_LOG);
	if (level >= HEAVY_LEVEL) {
		ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, HEAVY_HASH_LOG);
		ZSTD_CCtx_setParameter(context, ZSTD_c_chainLog, HEAVY_CHAIN_LOG);
	}
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, count_workers());
	ZSTD_CCtx_setParameter(context, ZSTD_c_jobSize, JOB_SIZE);
	zstd->context = context;
	return zstd;
}

void kcs_zstd_free(struct kcs_zstd *zstd)
{
	if (!zstd)
		return;
	ZSTD_freeCCtx(zstd->context);
	free(zstd);
}

static int step(struct kcs_zstd *zstd, ZSTD_inBuffer *in,
		ZSTD_EndDirective directive, kcs_zstd_write_fn *write, void *arg,
		size_t *left)
{
	ZSTD_outBuffer out = { .dst = zstd->out, .size = sizeof(zstd->out) };

	*left = ZSTD_compressStream2(zstd->context, &out, in, directive);
	if (ZSTD_isError(*left))
		return ZSTD_getErrorCode(*left) == ZSTD_error_memory_allocation ?
		       -ENOMEM : -EIO;
	return out.pos ? write(arg, zstd->out, out.pos) : 0;
}

int kcs_zstd_put(struct kcs_zstd *zstd, const void *data, size_t len,
		 kcs_zstd_write_fn *write, void *arg)
{
	ZSTD_inBuffer in = { .src = data, .size = len };
	size_t left;
	int ret = 0;

	while (!ret && in.pos < in.size)
		ret = step(zstd, &in, ZSTD_e_continue, write, arg, &left);
	return ret;
}

int kcs_zstd_end(struct kcs_zstd *zstd, kcs_zstd_write_fn *write, void *arg)
{
	ZSTD_inBuffer in = { 0 };
	size_t left;
	int ret;

	do {
		ret = step(zstd, &in, ZSTD_e_end, write, arg, &left);
	} while (!ret && left);
	return ret;
}
