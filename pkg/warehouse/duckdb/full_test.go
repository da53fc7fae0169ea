//go:build cgo && linux

package duckdb_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// fullDir names the directory in which a child process is to meet a full disk.
const fullDir = "SPARROW_DUCKDB_FULL"

// full loads until files can grow no more, makes room, and goes on, when the
// environment asks for it. A limit on the size of files stands for the disk; it
// holds for a whole process, hence the child.
func full() {
	dir := os.Getenv(fullDir)
	if dir == "" {
		return
	}
	if err := meetFullDisk(dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func meetFullDisk(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	w, err := open(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := w.Prepare(ctx); err != nil {
		return err
	}
	if err := limitFiles(3 << 20); err != nil {
		return err
	}
	loaded := uint64(0)
	for ; loaded < 1000; loaded++ {
		if err = w.Load(ctx, rows(loaded+1, 2000)); err != nil {
			break
		}
	}
	if err == nil {
		return errors.New("no load failed")
	}
	if err := limitFiles(math.MaxUint64); err != nil {
		return err
	}
	for end := loaded + 3; loaded < end; loaded++ {
		// The first load may still find the broken instance.
		if err := w.Load(ctx, rows(loaded+1, 2000)); err != nil {
			if err := w.Load(ctx, rows(loaded+1, 2000)); err != nil {
				return fmt.Errorf("load after there was room again: %w", err)
			}
		}
	}
	result, err := w.Query(ctx, "select count(*), count(distinct receipt) from raw", warehouse.Limits{})
	if err != nil {
		return err
	}
	if got, want := fmt.Sprint(result.Rows), fmt.Sprintf("[[%d %d]]", loaded*2000, loaded*2000); got != want {
		return fmt.Errorf("raw has %s rows, want %s", got, want)
	}
	return w.Close()
}

func limitFiles(size uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = min(size, limit.Max)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}

// rows is a message of n records.
func rows(seq uint64, n int) *warehouse.Batch {
	b := &warehouse.Batch{Events: warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: "full", Next: event.Position{Seq: seq + 1}}}
	for i := range n {
		b.Raw = append(b.Raw, warehouse.RawRow{
			Receipt: event.Receipt{Epoch: "full", Position: event.Position{Seq: seq, Index: uint32(i)}},
			Data:    fmt.Sprintf(`{"event":"e","deviceId":"%d-%d"}`, seq*7919, i*104729), Context: "{}", Usable: true,
		})
	}
	return b
}

// A full disk loses nothing, and loading goes on when there is room again.
func TestFullDisk(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), fullDir+"="+t.TempDir())
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
