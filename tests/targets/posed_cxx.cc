// SPDX-License-Identifier: GPL-2.0
/* As posed.c, in C++: std::thread, with an exception being handled in each. */
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

thread_local std::string mark;

namespace {

constexpr int busy_each = 256;

struct shape {
	virtual ~shape() = default;
	virtual void strike(int i) = 0;
};

std::mutex mutex;
std::condition_variable never;
std::atomic<int> started;
[[noreturn]] void block()
{
	std::unique_lock<std::mutex> lock(mutex);

	for (;;)
		never.wait(lock);
}

void handle_signal(int)
{
	for (;;)
		std::this_thread::sleep_for(std::chrono::hours(24));
}

struct in_a_call : shape {
	void strike(int) override { block(); }
};

struct asking_for_time : shape {
	std::chrono::steady_clock::time_point last;

	void strike(int i) override
	{
		while (i % busy_each == 0)
			last = std::chrono::steady_clock::now();
		block();
	}
};

struct in_a_handler : shape {
	void strike(int) override { std::raise(SIGUSR1); }
};

struct computing : shape {
	volatile double value = 1;

	void strike(int i) override
	{
		while (i % busy_each == 0)
			value = value * 1.0000001 + 1;
		block();
	}
};

std::unique_ptr<shape> shape_of(const std::string &where)
{
	if (where == "syscall")
		return std::make_unique<in_a_call>();
	if (where == "vdso")
		return std::make_unique<asking_for_time>();
	if (where == "handler")
		return std::make_unique<in_a_handler>();
	if (where == "user")
		return std::make_unique<computing>();
	return nullptr;
}

void run(shape *shape, int i)
{
	mark = "mark of thread " + std::to_string(i);
	try {
		throw std::runtime_error(mark);
	} catch (const std::exception &e) {
		started++;
		shape->strike(i);
	}
}

} // namespace

int main(int argc, char **argv)
{
	std::vector<std::thread> threads;
	std::unique_ptr<shape> shape;
	int nr;

	if (argc == 3)
		shape = shape_of(argv[1]);
	if (!shape) {
		std::fprintf(stderr, "usage: posed_cxx syscall|vdso|handler|user THREADS\n");
		return 2;
	}
	nr = std::atoi(argv[2]);
	std::signal(SIGUSR1, handle_signal);
	for (int i = 1; i < nr; i++)
		threads.emplace_back(run, shape.get(), i);
	while (started < nr - 1)
		std::this_thread::sleep_for(std::chrono::milliseconds(1));
	std::puts("ready");
	std::fflush(stdout);
	run(shape.get(), 0);
}
