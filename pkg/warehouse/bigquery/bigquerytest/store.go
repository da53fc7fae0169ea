package bigquerytest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	bq "google.golang.org/api/bigquery/v2"
)

// StoreConfig says what a store keeps.
type StoreConfig struct {
	// Keep names, by table id, the one text column that is kept of a table's
	// rows, such as raw: receipt, for runs of many rows. They are checked all the
	// same. Other tables keep whole rows.
	Keep map[string]string
	// MaxBytes bounds the file of each table's rows; beyond it appends are
	// refused. Default 4 GiB.
	MaxBytes int64
}

// Store is what a server serves: datasets, tables, streams and every row that
// was committed. It outlives the servers that are started on it.
type Store struct {
	dir    string
	config StoreConfig
	lasts  atomic.Int64 // how long streams live, in nanoseconds

	mu       sync.Mutex
	datasets map[string]*dataset
	streams  map[string]*stream
	logs     []*rowLog // of all tables there ever were
	made     int
}

type dataset struct {
	resource *bq.Dataset
	tables   map[string]*table
}

// NewStore makes an empty store that keeps its rows in files in a directory.
func NewStore(dir string, config StoreConfig) (*Store, error) {
	if config.MaxBytes == 0 {
		config.MaxBytes = 4 << 30
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("new store: %s is no directory", dir)
	}
	s := &Store{dir: dir, config: config, datasets: map[string]*dataset{}, streams: map[string]*stream{}}
	s.lasts.Store(int64(DefaultStreamLife))
	return s, nil
}

// Close closes the store's files. No server may run on it.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, l := range s.logs {
		errs = append(errs, l.close())
	}
	s.logs = nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

func (s *Store) life() time.Duration { return time.Duration(s.lasts.Load()) }

// table finds a table by dataset and id.
func (s *Store) table(datasetID, tableID string) (*table, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.datasets[datasetID]
	if d == nil {
		return nil, false
	}
	t, found := d.tables[tableID]
	return t, found
}

// addTable makes a table and its default stream. It is called with mu held.
func (s *Store) addTable(d *dataset, name string, resource *bq.Table, list []column, now time.Time) (*table, error) {
	s.made++
	log, err := openRowLog(filepath.Join(s.dir, strconv.Itoa(s.made)+".rows"), s.config.Keep[resource.TableReference.TableId], s.config.MaxBytes)
	if err != nil {
		return nil, err
	}
	s.logs = append(s.logs, log)
	t := &table{store: s, name: name, resource: resource, columns: list, before: list, version: 1, log: log, created: now}
	d.tables[resource.TableReference.TableId] = t
	usual := &stream{name: name + "/streams/" + defaultStream, kind: storagepb.WriteStream_COMMITTED, table: t, created: now, used: now}
	s.streams[usual.name] = usual
	return t, nil
}

// dropTable removes a table with its streams and rows.
func (s *Store) dropTable(datasetID, tableID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.datasets[datasetID]
	if d == nil || d.tables[tableID] == nil {
		return false
	}
	t := d.tables[tableID]
	t.drop()
	delete(d.tables, tableID)
	for name, st := range s.streams {
		if st.table == t {
			delete(s.streams, name)
		}
	}
	return true
}

// addStream makes a stream of a table.
func (s *Store) addStream(t *table, kind storagepb.WriteStream_Type, now time.Time) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	st := &stream{name: fmt.Sprintf("%s/streams/Cic%08x", t.name, s.made), kind: kind, table: t, created: now, used: now}
	s.streams[st.name] = st
	return st
}

// stream finds one by name; both names of a default stream are taken.
func (s *Store) stream(name string, now time.Time) (*stream, bool) {
	if rest, found := strings.CutSuffix(name, "/"+defaultStream); found && !strings.HasSuffix(rest, "/streams") {
		name = rest + "/streams/" + defaultStream
	}
	s.mu.Lock()
	st, found := s.streams[name]
	s.mu.Unlock()
	if !found {
		return nil, false
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st, !st.expired(now)
}

// dropStream removes a stream for good.
func (s *Store) dropStream(name string) bool {
	s.mu.Lock()
	st, found := s.streams[name]
	if found && !st.isDefault() {
		delete(s.streams, name)
	}
	s.mu.Unlock()
	if !found || st.isDefault() {
		return false
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.gone = true
	return true
}

// Streams are the names of a table's streams that applications made, oldest
// first.
func (s *Store) Streams(datasetID, tableID string) []string {
	t, found := s.table(datasetID, tableID)
	if !found {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*stream
	for _, st := range s.streams {
		if st.table == t && !st.isDefault() {
			list = append(list, st)
		}
	}
	slices.SortFunc(list, func(a, b *stream) int {
		return cmp.Or(a.created.Compare(b.created), strings.Compare(a.name, b.name))
	})
	names := make([]string, len(list))
	for i, st := range list {
		names[i] = st.name
	}
	return names
}
