package bigquerytest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// table is a table, or a view: that has no columns and takes no rows.
type table struct {
	store   *Store
	name    string // projects/p/datasets/d/tables/t
	created time.Time
	log     *rowLog

	mu       sync.Mutex
	resource *bq.Table
	columns  []column
	before   []column // as they were before the last change
	version  int      // of the resource; its etag
	shape    int      // of the columns; connections are told when it changes
	dropped  bool
}

func (t *table) columnsNow() []column {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.columns
}

// schema is what a writer is held to: the columns, or those before the last
// change; and which shape of the table the columns now have.
func (t *table) schema(stale bool) ([]column, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if stale {
		return t.before, t.shape
	}
	return t.columns, t.shape
}

// partition is the column by which the table is partitioned; "" for none.
func (t *table) partition() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resource.TimePartitioning == nil {
		return ""
	}
	return t.resource.TimePartitioning.Field
}

func (t *table) isView() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.resource.View != nil
}

func (t *table) isDropped() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropped
}

func (t *table) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropped = true
}

// change replaces resource and columns.
func (t *table) change(resource *bq.Table, list []column) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.EqualFunc(t.columns, list, sameColumn) {
		t.before, t.columns = t.columns, list
		t.shape++
	}
	t.resource = resource
	t.version++
}

func sameColumn(a, b column) bool {
	return strings.EqualFold(a.name, b.name) && a.kind == b.kind && a.required == b.required && a.repeated == b.repeated &&
		slices.EqualFunc(a.fields, b.fields, sameColumn)
}

// commit adds rows to the table.
func (t *table) commit(stream string, offset int64, plan *rowPlan, rows [][]byte, now time.Time) *status.Status {
	if t.isDropped() {
		return tableNotFound(t.name)
	}
	switch err := t.log.add(stream, offset, plan, rows, now); {
	case errors.Is(err, errLogFull):
		return refuse(codes.ResourceExhausted, t.name, "This server keeps no more rows of the table: raise StoreConfig.MaxBytes or keep one column.")
	case err != nil:
		return refuse(codes.Internal, t.name, "This server cannot keep the rows: %v.", err)
	}
	return nil
}

// id is the table's id: the last part of its name.
func (t *table) id() string { return t.name[strings.LastIndexByte(t.name, '/')+1:] }

// dropColumn removes a column from columns and resource.
func (t *table) dropColumn(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, found := find(t.columns, name); !found {
		return false
	}
	left := slices.DeleteFunc(slices.Clone(t.columns), func(c column) bool { return strings.EqualFold(c.name, name) })
	resource := *t.resource
	resource.Schema = &bq.TableSchema{Fields: slices.DeleteFunc(slices.Clone(t.resource.Schema.Fields),
		func(f *bq.TableFieldSchema) bool { return strings.EqualFold(f.Name, name) })}
	t.before, t.columns, t.resource = t.columns, left, &resource
	t.shape++
	t.version++
	return true
}
