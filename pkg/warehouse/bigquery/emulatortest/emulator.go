// Package emulatortest runs goccy/bigquery-emulator for tests, behind a proxy that
// makes up for where the emulator differs from BigQuery. So the adapter needs no
// code for the emulator.
//
//	test ── proxy ── emulator
//	        REST, gRPC
//
// The emulator
//
//   - locks its tables and gives up where BigQuery waits: the proxy lets one call
//     through at a time;
//   - takes an append without a stream's name for any stream it knows: the proxy
//     repeats the name that the connection began with;
//   - says that each stream is empty when it is finalized: the proxy answers that
//     the stream is gone, so that the client counts rows in the table;
//   - keeps the query of a view that is changed: the proxy makes the view anew;
//   - runs a dry run as it does the query, and takes any statement for a SELECT:
//     the proxy answers dry runs itself, with SELECT. What a dry run is for, the
//     strict server's tests and TestDryRunDecides show.
package emulatortest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Project is the only project of an emulator.
const Project = "test"

// Emulator is a process of the emulator. It outlives the process that started it.
type Emulator struct {
	REST    string // host:port
	GRPC    string // host:port
	Process int    // its id
}

// Start starts an emulator and waits until it answers. Its files are in TMPDIR of
// env, which may be nil.
func Start(env []string) (*Emulator, error) {
	binary, err := build()
	if err != nil {
		return nil, err
	}
	e := &Emulator{}
	for _, address := range []*string{&e.REST, &e.GRPC} {
		if *address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	_, restPort, _ := net.SplitHostPort(e.REST)
	_, grpcPort, _ := net.SplitHostPort(e.GRPC)
	command := exec.Command(binary, "--project="+Project, "--host=127.0.0.1", "--port="+restPort, "--grpc-port="+grpcPort)
	command.Env = env
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the BigQuery emulator: %w", err)
	}
	e.Process = command.Process.Pid
	if err := e.await(); err != nil {
		return nil, errors.Join(err, e.Kill())
	}
	return e, nil
}

// Kill ends the process.
func (e *Emulator) Kill() error {
	process, err := os.FindProcess(e.Process)
	if err != nil {
		return err
	}
	err = process.Kill()
	_, _ = process.Wait() // fails if another process started it
	return err
}

// build builds the emulator unless it is there, and returns its path.
var build = sync.OnceValues(func() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	script := exec.Command(filepath.Join(root, "scripts", "emulator.sh"))
	script.Stderr = os.Stderr
	path, err := script.Output()
	if err != nil {
		return "", fmt.Errorf("the BigQuery emulator cannot be built: run scripts/emulator.sh and see what it says: %w", err)
	}
	return strings.TrimSpace(string(path)), nil
})

// moduleRoot is the directory of go.mod, here or above.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("find the repository: no go.mod here or above")
		}
	}
	return "", err
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// await waits until the emulator answers.
func (e *Emulator) await() error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	url := "http://" + e.REST + "/bigquery/v2/projects/" + Project + "/datasets"
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		response, err := client.Get(url)
		if err == nil {
			return response.Body.Close()
		}
		<-tick.C
	}
	return fmt.Errorf("the BigQuery emulator does not answer at %s", url)
}
