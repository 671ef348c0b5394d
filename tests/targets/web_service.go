// SPDX-License-Identifier: GPL-2.0

// Usage: web_service | web_service load PORT CLIENTS
//
// A net/http service that prints "ready PORT" when one request is kept waiting,
// by hold(), whose local variables a debugger is to find; and its clients, who
// ask for pages all the time.
package main

import (
	"fmt"
	"io"
	"io/ioutil"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

type order struct {
	Number  int
	Article string
	Prices  []int
}

var waiting = make(chan string)
var never = make(chan int)

func hold(w http.ResponseWriter, r *http.Request) {
	planted := order{Number: 20260117, Article: "a planted local", Prices: []int{3, 1, 4, 1, 5}}
	counts := map[string]int{"one": 1}
	waiting <- r.URL.Path
	left := <-never
	fmt.Fprintln(w, planted, counts, left)
}

func page(w http.ResponseWriter, r *http.Request) {
	words := strings.Repeat("some words to be written ", 200)
	fmt.Fprintln(w, strings.ToUpper(words), r.URL.Path)
}

// The runtime would catch it, and print what it knows in place of a core.
func dumpOnAbort() {
	var action [4]uint64
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGABRT),
		uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

func load(port string, clients int) {
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	for i := 0; i < clients; i++ {
		go func(i int) {
			for {
				answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%s/page/%d", port, i))
				if err != nil {
					os.Exit(0)
				}
				io.Copy(ioutil.Discard, answer.Body)
				answer.Body.Close()
			}
		}(i)
	}
	select {}
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "load" {
		clients, _ := strconv.Atoi(os.Args[3])
		load(os.Args[2], clients)
	}
	dumpOnAbort()
	http.HandleFunc("/hold", hold)
	http.HandleFunc("/page/", page)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	go http.Get(fmt.Sprintf("http://127.0.0.1:%d/hold", port))
	go func() {
		<-waiting
		fmt.Println("ready", port)
	}()
	http.Serve(listener, nil)
}
