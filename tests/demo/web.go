// SPDX-License-Identifier: GPL-2.0

// Usage: web -mib N | web -load CLIENTS -rate PER-SECOND
//
// A net/http service that keeps N MiB of items on the heap, and its clients.
// On the control port it answers "reset" and "report", as the C service does.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	address        = "127.0.0.1:7020"
	controlAddress = "127.0.0.1:7021"
	itemBytes      = 1024
	stripes        = 64
	gapInterval    = time.Millisecond
)

type item struct {
	version uint64
	body    []byte
}

type store struct {
	items []*item
	locks [stripes]sync.Mutex
}

var (
	longestGap int64
	requests   uint64
)

func newStore(mib int) *store {
	s := &store{items: make([]*item, mib<<20/itemBytes)}
	content := make([]byte, 2*itemBytes)
	rand.Read(content)
	for i := range s.items {
		s.items[i] = &item{body: append([]byte(nil), content[i%itemBytes:][:itemBytes]...)}
	}
	return s
}

// ServeHTTP replaces the item that the query names and answers with its checksum.
func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, err := strconv.Atoi(r.URL.Query().Get("key"))
	if err != nil || key < 0 {
		http.Error(w, "which key?", http.StatusBadRequest)
		return
	}
	index := key % len(s.items)
	lock := &s.locks[index%stripes]
	lock.Lock()
	old := s.items[index]
	next := &item{version: old.version + 1, body: append([]byte(nil), old.body...)}
	next.body[next.version%itemBytes]++
	s.items[index] = next
	lock.Unlock()
	sum := fnv.New64a()
	sum.Write(next.body)
	atomic.AddUint64(&requests, 1)
	fmt.Fprintf(w, "%d %x\n", next.version, sum.Sum64())
}

// watchForGaps looks at the clock every millisecond, on a thread of its own.
func watchForGaps() {
	runtime.LockOSThread()
	// A time slice that another thread had is then no gap.
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), -20); err != nil {
		log.Print(err)
	}
	interval := syscall.NsecToTimespec(int64(gapInterval))
	last := time.Now()
	for {
		syscall.Nanosleep(&interval, nil)
		now := time.Now()
		if gap := int64(now.Sub(last)); gap > atomic.LoadInt64(&longestGap) {
			atomic.StoreInt64(&longestGap, gap)
		}
		last = now
	}
}

func serveControl() {
	listener, err := net.Listen("tcp", controlAddress)
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			continue
		}
		line, _ := bufio.NewReader(conn).ReadString('\n')
		switch line {
		case "reset\n":
			atomic.StoreInt64(&longestGap, 0)
			atomic.StoreUint64(&requests, 0)
			fmt.Fprintln(conn, "ok")
		case "report\n":
			fmt.Fprintf(conn, "gap_ns=%d requests=%d\n",
				atomic.LoadInt64(&longestGap), atomic.LoadUint64(&requests))
		default:
			fmt.Fprintln(conn, "?")
		}
		conn.Close()
	}
}

func serve(mib int) {
	s := newStore(mib)
	go watchForGaps()
	go serveControl()
	log.Fatal(http.ListenAndServe(address, s))
}

func load(clients, rate int) {
	for i := 0; i < clients; i++ {
		go func(seed int64) {
			random := rand.New(rand.NewSource(seed))
			client := &http.Client{Transport: &http.Transport{}}
			for range time.Tick(time.Second / time.Duration(rate)) {
				response, err := client.Get(fmt.Sprintf("http://%s/?key=%d", address, random.Int31()))
				if err != nil {
					log.Fatal(err)
				}
				if response.StatusCode != http.StatusOK {
					log.Fatal(response.Status)
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		}(int64(i))
	}
	select {}
}

func main() {
	mib := flag.Int("mib", 256, "size of the data in MiB")
	clients := flag.Int("load", 0, "be this many clients instead")
	rate := flag.Int("rate", 25, "requests per second and client")
	flag.Parse()
	if *clients > 0 {
		load(*clients, *rate)
	}
	serve(*mib)
}
