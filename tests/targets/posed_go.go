// SPDX-License-Identifier: GPL-2.0

// As posed.c, in Go: goroutines that each keep a thread to themselves. Nobody
// is in a handler of its own accord: the runtime's runs on any signal.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const busyEach = 256

var pipe [2]int
var last time.Time
var value = 1.0

func block() {
	var buf [1]byte
	for {
		syscall.Read(pipe[0], buf[:])
	}
}

func strike(where string, i int) {
	switch {
	case i%busyEach != 0 || where == "syscall" || where == "handler":
		block()
	case where == "vdso":
		for {
			last = time.Now()
		}
	default:
		for {
			value = value*1.0000001 + 1
		}
	}
}

// The runtime would catch it, and print what it knows in place of a core.
func dumpOnAbort() {
	var action [4]uint64
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGABRT),
		uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: posed_go syscall|vdso|handler|user THREADS")
		os.Exit(2)
	}
	where := os.Args[1]
	threads, _ := strconv.Atoi(os.Args[2])
	runtime.LockOSThread()
	dumpOnAbort()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1)
	if syscall.Pipe(pipe[:]) != nil {
		os.Exit(1)
	}
	// A busy goroutine does not give way to a collection for as long as another thread has its CPU.
	debug.SetGCPercent(-1)
	var started sync.WaitGroup
	for i := 1; i < threads; i++ {
		started.Add(1)
		go func(i int) {
			runtime.LockOSThread()
			started.Done()
			strike(where, i)
		}(i)
	}
	started.Wait()
	fmt.Println("ready")
	strike(where, 0)
}
