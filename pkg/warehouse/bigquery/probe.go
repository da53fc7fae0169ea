package bigquery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"time"

	rest "cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
)

// Permission is a permission that the gateway needs, and whether it has it.
type Permission struct {
	Name string // bigquery.tables.create
	For  string // what the gateway uses it for
	Role string // the least role that has it, and on what to grant it
	Err  error  // nil if it is granted
}

// Missing reports whether BigQuery denies it.
func (p Permission) Missing() bool { return errors.Is(p.Err, ErrPermission) }

// Untried reports whether something that it needs is missing itself.
func (p Permission) Untried() bool { return errors.Is(p.Err, errUntried) }

// The roles that Permission names.
const (
	editorRole = "roles/bigquery.dataEditor on the dataset"
	jobRole    = "roles/bigquery.jobUser on the project"
	makerRole  = "roles/bigquery.user on the project, or make the dataset yourself"
)

// errUntried is the error of a step that needs an earlier one, which failed.
var errUntried = errors.New("not tried, for want of one above")

// Probe tries each permission that the gateway needs, on a table of its own that
// it deletes. An error says why BigQuery cannot be asked; the list then has what
// was tried before it.
func (s *Store) Probe(ctx context.Context) ([]Permission, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	p := &probe{client: s.client, table: &table{
		name: fmt.Sprintf("sparrow_check_%08x", rand.Uint32()), description: "Made by a check of permissions; it may be deleted.",
		columns: []column{text("note", "Of a check."), instant("at", "When.")}, day: "at",
	}}
	var list []Permission
	for _, step := range [...]struct {
		name, purpose, role string
		try                 func(context.Context) error
		needs               []*bool
	}{
		{"bigquery.datasets.get", "find the dataset", editorRole, p.findDataset, nil},
		{"bigquery.datasets.create", "make the dataset at first start", makerRole, p.makeDataset, nil},
		{"bigquery.tables.create", "make tables and views at first start", editorRole, p.makeTable, nil},
		{"bigquery.tables.get", "look at tables", editorRole, p.getTable, []*bool{&p.made}},
		{"bigquery.tables.update", "add columns, change views", editorRole, p.changeTable, []*bool{&p.made}},
		{"bigquery.tables.updateData", "write rows, delete old ones", editorRole, p.writeRow, []*bool{&p.made}},
		{"bigquery.jobs.create", "run queries", jobRole, p.runQuery, nil},
		{"bigquery.tables.getData", "read rows", editorRole, p.readRows, []*bool{&p.made, &p.queries}},
		{"bigquery.tables.delete", "delete the table of this check", editorRole, p.deleteTable, []*bool{&p.made}},
	} {
		err := errUntried
		if !slices.ContainsFunc(step.needs, func(there *bool) bool { return !*there }) {
			err = p.try(ctx, step.try)
		}
		switch {
		case err == errNothing:
			continue
		case noAnswer(err):
			if failed, found := errors.AsType[*url.Error](err); found {
				err = failed.Err
			}
			return list, fmt.Errorf("BigQuery cannot be asked: %w", err)
		}
		list = append(list, Permission{Name: step.name, For: step.purpose, Role: step.role, Err: err})
	}
	return list, ctx.Err()
}

// errNothing says that a step has nothing to try.
var errNothing = errors.New("nothing to try")

// try runs a step within the time of one call.
func (p *probe) try(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	err := step(ctx)
	if err == errNothing {
		return err
	}
	if err = judged(err); errors.Is(err, ErrPermission) {
		return fmt.Errorf("%w: %s", ErrPermission, said(err)) // without judged's advice: Permission.Role is exact
	}
	return err
}

// said is what BigQuery answered, in its own words.
func said(err error) string {
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		return answer.Message
	}
	if answer := grpcStatus(err); answer != nil {
		return answer.Message()
	}
	return err.Error()
}

// noAnswer reports whether an error comes from credentials or the network, not
// from BigQuery's answer.
func noAnswer(err error) bool {
	if err == nil || err == errNothing || errors.Is(err, errUntried) || errors.Is(err, ErrPermission) {
		return false
	}
	switch kind(err) {
	case codes.Unauthenticated, codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unknown:
		return true
	}
	return false
}

// probe is one run of Probe, and what its steps found.
type probe struct {
	*client
	table   *table // of the check
	missing bool   // the dataset
	made    bool   // the table
	queries bool   // are allowed
}

func (p *probe) handle() *rest.Table { return p.client.table(p.table) }

func (p *probe) findDataset(ctx context.Context) error {
	_, err := p.dataset().Metadata(ctx)
	if kind(err) == codes.NotFound {
		p.missing = true
		return nil
	}
	return err
}

func (p *probe) makeDataset(ctx context.Context) error {
	if !p.missing {
		return errNothing
	}
	return p.createDataset(ctx)
}

func (p *probe) makeTable(ctx context.Context) error {
	err := p.handle().Create(ctx, p.table.metadata(0))
	p.made = err == nil
	return err
}

func (p *probe) getTable(ctx context.Context) error {
	_, err := p.handle().Metadata(ctx)
	return err
}

func (p *probe) changeTable(ctx context.Context) error {
	_, err := p.handle().Update(ctx, rest.TableMetadataToUpdate{Description: p.table.description + " Changed."}, "")
	return err
}

func (p *probe) writeRow(ctx context.Context) error {
	st, err := p.createStream(ctx, p.table)
	if err != nil {
		return err
	}
	defer st.close()
	row := newEncoder(32).text("check").instant(time.Now()).row
	_, err = st.append(ctx, 0, 1, func(int) []byte { return row })
	return err
}

func (p *probe) runQuery(ctx context.Context) error {
	q := p.rest.Query("select 1")
	q.Location = p.config.Location
	_, err := q.Read(ctx)
	p.queries = err == nil
	return err
}

func (p *probe) readRows(ctx context.Context) error {
	_, err := p.read(ctx, "select count(*) from "+p.named(p.table), nil)
	return err
}

func (p *probe) deleteTable(ctx context.Context) error { return p.handle().Delete(ctx) }
