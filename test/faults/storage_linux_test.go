package faults_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// disk is an ext4 file system of its own, in a file, so that faults can be ordered
// of the kernel.
type disk struct{ image, dir string }

// mountDisk mounts an empty disk at a directory, or skips the test where that is
// not permitted.
func mountDisk(t *testing.T, g *harness.Gateway, dir string) *disk {
	t.Helper()
	d := &disk{filepath.Join(g.Dir, "disk"+strings.ReplaceAll(strings.TrimPrefix(dir, g.Dir), "/", "-")), dir}
	image, err := os.Create(d.image)
	if err == nil {
		err = image.Truncate(1 << 30) // of which little is ever written
	}
	if err != nil || image.Close() != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-O", "^metadata_csum", d.image).CombinedOutput(); err != nil {
		t.Skipf("this test needs mkfs.ext4: %v %s", err, out)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.mount(); err != nil {
		t.Skipf("this test needs root, and may mount nothing here: %v", err)
	}
	t.Cleanup(func() {
		g.Kill()
		if err := d.unmount(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *disk) mount() error {
	if out, err := exec.Command("mount", "-o", "loop,errors=remount-ro", d.image, d.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("mount: %w: %s", err, out)
	}
	return nil
}

func (d *disk) unmount() error {
	if err := syscall.Unmount(d.dir, 0); err != nil {
		return fmt.Errorf("unmount %s: %w", d.dir, err)
	}
	return nil
}

// repair makes the disk whole again, as after a restart of the machine: what was
// not synced is lost.
func (d *disk) repair() error {
	if err := d.unmount(); err != nil {
		return err
	}
	return d.mount()
}

// failWithEIO has every access to the device fail with EIO from now on.
func (d *disk) failWithEIO() error { return d.limit(4096) }

// limit makes the device end after so many bytes, 0 for where its image ends.
func (d *disk) limit(bytes uint64) error {
	device, err := d.device()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	status, err := unix.IoctlLoopGetStatus64(int(f.Fd()))
	if err != nil {
		return err
	}
	status.Sizelimit = bytes
	return unix.IoctlLoopSetStatus64(int(f.Fd()), status)
}

// turnReadOnly has the kernel find an error on the disk, which it then mounts
// read-only, open files or not. An fsync that is under way may then succeed although
// nothing was stored (seen with Linux 6.18 and a program of twenty lines, in 6 of 100
// tries): so nothing may be acknowledged at this moment.
func (d *disk) turnReadOnly() error {
	device, err := d.device()
	if err != nil {
		return err
	}
	return os.WriteFile("/sys/fs/ext4/"+filepath.Base(device)+"/trigger_fs_error", []byte("1"), 0o200)
}

func (d *disk) device() (string, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); fields[1] == d.dir {
			return fields[0], nil
		}
	}
	return "", fmt.Errorf("%s is not mounted", d.dir)
}

// storageFault breaks the place of a component and repairs it again. The gateway
// does not run when it is repaired.
type storageFault struct{ inject, repair func() error }

// The components, by the part of the data directory that is theirs.
var storagePlaces = map[string][]string{
	"everything":           {""},
	"journal":              {"journal"},
	"index":                {"duplicates"},
	"warehouse and socket": {"warehouse.duckdb", "warehouse.duckdb.wal", "sparrow.sock"},
}

func onDisk(t *testing.T, g *harness.Gateway, component string, inject func(*disk) error) storageFault {
	data := filepath.Join(g.Dir, "data")
	var d *disk
	switch component {
	case "journal", "index":
		d = mountDisk(t, g, filepath.Join(data, storagePlaces[component][0]))
	default:
		d = mountDisk(t, g, data)
	}
	if component == "warehouse and socket" { // the others have disks of their own upon it
		upper := []*disk{mountDisk(t, g, filepath.Join(data, "journal")), mountDisk(t, g, filepath.Join(data, "duplicates"))}
		return storageFault{func() error { return inject(d) }, func() error {
			for _, u := range upper {
				if err := u.unmount(); err != nil {
					return err
				}
			}
			if err := d.repair(); err != nil {
				return err
			}
			for _, u := range upper {
				if err := u.mount(); err != nil {
					return err
				}
			}
			return nil
		}}
	}
	return storageFault{func() error { return inject(d) }, d.repair}
}

// withoutPermission runs the gateway as a user whom the component's files then do
// not belong to any more.
func withoutPermission(t *testing.T, g *harness.Gateway, component string) storageFault {
	if os.Getuid() != 0 {
		t.Skip("this test needs root, to run the gateway as another user")
	}
	const nobody = 65534
	g.RunAs(nobody)
	change := func(user int, mode os.FileMode) error {
		for _, place := range storagePlaces[component] {
			path := filepath.Join(g.Dir, "data", place)
			info, err := os.Lstat(path)
			if os.IsNotExist(err) {
				continue
			}
			if err != nil {
				return err
			}
			if info.IsDir() && mode != 0 {
				mode |= 0o100
			}
			if err := os.Chown(path, user, user); err != nil {
				return err
			}
			if err := os.Chmod(path, mode); err != nil {
				return err
			}
		}
		return nil
	}
	return storageFault{func() error { return change(0, 0) }, func() error { return change(nobody, 0o600) }}
}

// duckDBAborts is what the C++ library prints when DuckDB can neither write its log
// nor cut it: it then ends the process, which nobody can prevent.
const duckDBAborts = "terminate called after throwing an instance of 'duckdb::IOException'"

const (
	// stopLimit bounds every stop: drain is 3s here.
	stopLimit = 15 * time.Second
	// faultyFor is how long the load goes on upon a fault.
	faultyFor = 3 * time.Second
)

// storageTest is one gateway that meets one fault again and again.
type storageTest struct {
	*testing.T
	g         *harness.Gateway
	fault     storageFault
	component string
	quiet     bool // nothing is to be acknowledged while the fault is injected

	acknowledged map[string]bool
	loads        int
}

// load posts events until the returned function is called.
func (s *storageTest) load() (stop func()) {
	s.Helper()
	s.loads++
	generator, stop := s.startLoad(fmt.Sprintf("load%d", s.loads))
	s.g.Await("the load to go on", time.Minute, func() bool { return len(generator.Acknowledged()) > 200 })
	return stop
}

func (s *storageTest) startLoad(prefix string) (generator *harness.Generator, stop func()) {
	generator, end := startLoad(s.g, prefix)
	return generator, func() {
		end()
		for id := range generator.Acknowledged() {
			s.acknowledged[id] = true
		}
	}
}

func (s *storageTest) inject() {
	s.Helper()
	if err := s.fault.inject(); err != nil {
		s.Fatal(err)
	}
}

// ended checks that the process ends within the limit, and what it logged since: how
// much, and what to do, unless all went well.
func (s *storageTest) ended(when string, logged int) {
	s.Helper()
	begun := time.Now()
	code := s.g.Ended(time.Minute)
	if took := time.Since(begun); took > stopLimit {
		s.Errorf("%s: it took %v to stop", when, took.Round(time.Millisecond))
	}
	log, aborted, found := strings.Cut(s.g.Log()[logged:], duckDBAborts)
	if found {
		s.Logf("%s: DuckDB ended the process: %.200s", when, aborted)
		return
	}
	if lines := strings.Count(log, "\n"); lines > logLimit {
		s.Errorf("%s: %d lines were logged, want %d at most", when, lines, logLimit)
	}
	if code != 0 && when == "during work" {
		s.says(when, logged)
	}
}

// loaded waits until what was acknowledged is in the warehouse.
func (s *storageTest) loaded() {
	s.Helper()
	s.g.Await("the acknowledged events in raw", time.Minute, func() bool {
		return harness.Number(s.g.Query("select count(*) as n from raw")[0], "n") >= len(s.acknowledged)
	})
}

// says checks that the log says what to do.
func (s *storageTest) says(when string, logged int) {
	s.Helper()
	log := s.g.Log()[logged:]
	for _, advice := range []string{"the disk does not work", "the file system is read-only", "must belong to the user", "check its permissions and its disk", "check the disk"} {
		if strings.Contains(log, advice) {
			return
		}
	}
	s.Errorf("%s: the log does not say what to do:\n%s", when, log)
}

// recovered repairs the place, starts the gateway, and finds every acknowledged event.
func (s *storageTest) recovered(when string) {
	s.Helper()
	if err := s.fault.repair(); err != nil {
		s.Fatal(err)
	}
	s.g.Start()
	var missing []string
	deadline := time.Now().Add(time.Minute)
	for first := true; first || len(missing) > 0 && time.Now().Before(deadline); first = false {
		stored := map[string]bool{}
		for _, row := range s.g.Query("select eventId from raw") {
			stored[row["eventId"].(string)] = true
		}
		missing = missing[:0]
		for id := range s.acknowledged {
			if !stored[id] {
				missing = append(missing, id)
			}
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		s.Fatalf("%s: %d of %d acknowledged events are not in raw: %q; the first is in the journal's files: %v",
			when, len(missing), len(s.acknowledged), missing[:min(len(missing), 10)], s.inJournal(missing[0]))
	}
	s.g.VerifySums()
}

// inJournal says whether a file of the journal has the event.
func (s *storageTest) inJournal(id string) (found bool) {
	_ = filepath.WalkDir(filepath.Join(s.g.Dir, "data", "journal"), func(path string, _ os.DirEntry, err error) error {
		if text, readErr := os.ReadFile(path); err == nil && readErr == nil && strings.Contains(string(text), `"`+id+`"`) {
			found = true
		}
		return nil
	})
	return found
}

// unready says whether the gateway refuses events.
func (s *storageTest) unready() bool {
	response, err := http.Get(s.g.URL + "/readyz")
	return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusServiceUnavailable
}

// TestStorageFaults meets each fault of the storage during work, at stop and at
// start: an acknowledged event survives, a stop is bounded, what repeats is not
// logged again and again, and the log says what to do.
func TestStorageFaults(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, g *harness.Gateway, component string) storageFault{
		"EIO": func(t *testing.T, g *harness.Gateway, c string) storageFault {
			return onDisk(t, g, c, (*disk).failWithEIO)
		},
		"read-only": func(t *testing.T, g *harness.Gateway, c string) storageFault {
			return onDisk(t, g, c, (*disk).turnReadOnly)
		},
		"without permission": withoutPermission,
	} {
		for component := range storagePlaces {
			t.Run(name+"/"+component, func(t *testing.T) {
				t.Parallel()
				g := harness.New(t, map[string]string{"sparrow.yaml": fmt.Sprintf(quietConfig, " []"), "plan.yaml": identifiedPlan}, "serve")
				s := &storageTest{T: t, g: g, component: component, fault: prepare(t, g, component), quiet: name == "read-only", acknowledged: map[string]bool{}}
				s.duringWork()
				s.atStop()
				s.atStart()
			})
		}
	}
}

func (s *storageTest) duringWork() {
	s.g.Start()
	stop := s.load()
	if s.quiet {
		stop()
		s.loaded()
	}
	logged := len(s.g.Log())
	s.inject()
	if s.quiet {
		_, stop = s.startLoad("meanwhile")
	}
	if s.component == "everything" || s.component == "journal" {
		s.g.Await("it to refuse events, or to end", 20*time.Second, func() bool { return s.unready() || !s.g.Running() })
	} else { // events are accepted and kept in the journal
		quiet := time.NewTimer(faultyFor)
		defer quiet.Stop()
		<-quiet.C
	}
	stop()
	if s.g.Running() {
		s.g.Signal(syscall.SIGTERM)
	}
	s.ended("during work", logged)
	s.recovered("during work")
}

func (s *storageTest) atStop() {
	stop := s.load()
	if s.quiet {
		stop()
		s.loaded()
	}
	logged := len(s.g.Log())
	s.g.Signal(syscall.SIGTERM)
	s.inject()
	s.ended("at stop", logged)
	if !s.quiet {
		stop()
	}
	s.recovered("at stop")
}

// atStart: the gateway ends with a message, or waits for the place to be whole,
// and ends when it is told to.
func (s *storageTest) atStart() {
	s.g.Stop(stopLimit)
	s.inject()
	logged := len(s.g.Log())
	ended := s.g.Launch()
	limit := time.NewTimer(2 * faultyFor)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C:
		s.g.Signal(syscall.SIGTERM)
	}
	s.ended("at start", logged)
	if s.component != "journal" { // whose pin is only said to be unavailable, where it can be read
		s.says("at start", logged)
	}
	s.recovered("at start")
}
