package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// round is what one round of load on one side measured.
type round struct {
	rate     float64 // acknowledged events a second
	p50, p99 float64 // milliseconds
}

// measure starts a side, warms it up, loads it for the length and stops it.
func measure(ctx context.Context, side, gateway string, connections int, length time.Duration) (round, error) {
	dir, err := os.MkdirTemp("", "sparrow-bench-*")
	if err != nil {
		return round{}, err
	}
	defer os.RemoveAll(dir)
	address, stop, err := start(ctx, side, gateway, dir)
	if err != nil {
		return round{}, err
	}
	defer stop()
	if err := awaitReady(ctx, address); err != nil {
		return round{}, err
	}
	if _, err := load(ctx, address, connections, time.Second); err != nil {
		return round{}, fmt.Errorf("warm up: %w", err)
	}
	return load(ctx, address, connections, length)
}

// awaitReady waits until a side takes events: the gateway listens before it does.
func awaitReady(ctx context.Context, address string) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		resp, err := client.Get("http://" + address + "/readyz")
		if err == nil {
			err = resp.Body.Close()
		}
		if err == nil && resp.StatusCode == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return errors.New("it is not ready after half a minute")
}

// load posts one event a request over so many connections and counts the 200s.
// The client writes prepared bytes and reads only as much of the answers as it
// needs, because it shares the processors with the server.
func load(ctx context.Context, address string, connections int, length time.Duration) (round, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var mu sync.Mutex
	var latencies []time.Duration
	var failures []error
	var workers sync.WaitGroup
	began := time.Now()
	for n := range connections {
		workers.Go(func() {
			own, err := connection(ctx, address, n)
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, own...)
			if err != nil {
				failures = append(failures, err)
			}
		})
	}
	workers.Wait()
	elapsed := time.Since(began)
	if len(failures) > 0 {
		return round{}, failures[0]
	}
	if len(latencies) == 0 {
		return round{}, errors.New("nothing was answered")
	}
	slices.Sort(latencies)
	ms := func(q float64) float64 {
		return float64(latencies[int(q*float64(len(latencies)-1))].Microseconds()) / 1000
	}
	return round{float64(len(latencies)) / elapsed.Seconds(), ms(0.5), ms(0.99)}, nil
}

func connection(ctx context.Context, address string, n int) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	var latencies []time.Duration
	for i := 0; ctx.Err() == nil; i++ {
		began := time.Now()
		if _, err := conn.Write(request(address, n, i)); err != nil {
			return latencies, err
		}
		if err := readAnswer(in); err != nil {
			return latencies, err
		}
		latencies = append(latencies, time.Since(began))
	}
	return latencies, nil
}

// request is a POST of one event of 400 bytes.
func request(address string, connection, i int) []byte {
	const size = 400
	body := fmt.Sprintf(`{"event":"purchase product","deviceId":"device-%d","userId":"user-%d","eventId":"bench-%d-%d",`+
		`"properties":{"category":"billing","productName":"workers","note":"`, connection, connection, connection, i)
	body += strings.Repeat("x", max(0, size-len(body)-3)) + `"}}`
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /v1/events?key=%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", benchKey, address, len(body), body)
	return b.Bytes()
}

func readAnswer(in *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		text := bytes.TrimRight(line, "\r\n")
		if first && !bytes.Contains(text, []byte(" 200 ")) {
			return fmt.Errorf("answer: %s", text)
		}
		if len(text) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(text, []byte(":")); ok && strings.EqualFold(string(name), "Content-Length") {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	_, err := io.CopyN(io.Discard, in, int64(length))
	return err
}
