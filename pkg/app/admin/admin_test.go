package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// asked is a gateway that writes down what it is asked, and answers err.
type asked struct {
	calls []string
	err   error
}

func (a *asked) add(format string, args ...any) {
	a.calls = append(a.calls, fmt.Sprintf(format, args...))
}

func (a *asked) Query(_ context.Context, sql string, maxRows int) (*admin.Table, error) {
	a.add("query %s %d", sql, maxRows)
	return &admin.Table{}, a.err
}

func (a *asked) Event(_ context.Context, id string, withRequest bool) ([]trail.Trail, error) {
	a.add("event %s %t", id, withRequest)
	return nil, a.err
}

func (a *asked) Reconcile(_ context.Context, since time.Time) (*admin.Table, error) {
	a.add("reconcile %s", since.Format(time.DateOnly))
	return &admin.Table{}, a.err
}

func (a *asked) Verify(_ context.Context, since time.Time) (admin.Verification, error) {
	a.add("verify %s", since.Format(time.DateOnly))
	return admin.Verification{Days: 3}, a.err
}

func (a *asked) UncountedDays(_ context.Context, since time.Time) ([]admin.UncountedDay, error) {
	a.add("uncounted %s", since.Format(time.DateOnly))
	return nil, a.err
}

func (a *asked) CountDay(_ context.Context, day time.Time) (admin.UncountedDay, error) {
	a.add("count %s", day.Format(time.DateOnly))
	return admin.UncountedDay{}, a.err
}

func (a *asked) Tail(_ context.Context, f admin.TailFilter, emit func(admin.TailEvent) error) error {
	a.add("tail %s %s", f.Source, f.Event)
	return emit(admin.TailEvent{EventID: "one"})
}

func (a *asked) Trackers(context.Context) ([]admin.TrackerStatus, error) {
	a.add("trackers")
	return nil, a.err
}

func (a *asked) RemoveTracker(_ context.Context, name string) (admin.Removal, error) {
	a.add("remove %s", name)
	return admin.Removal{}, a.err
}

func (a *asked) ApplyViews(_ context.Context, drop bool) (admin.ViewChange, error) {
	a.add("views %t", drop)
	return admin.ViewChange{}, a.err
}

// serve serves a gateway's operations on a socket and returns a client of it.
func serve(t *testing.T, ops admin.Operations) *admin.Client {
	t.Helper()
	dir := t.TempDir()
	l, err := admin.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: admin.Handler(ops)}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	client, err := admin.Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return client
}

// askAll asks everything but the tail and returns the errors.
func askAll(ctx context.Context, o admin.Operations) (errs []error) {
	day := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	add := func(_ any, err error) { errs = append(errs, err) }
	add(o.Query(ctx, "select 1", 7))
	add(o.Event(ctx, "a/b c", true))
	add(o.Reconcile(ctx, day))
	add(o.Verify(ctx, day))
	add(o.UncountedDays(ctx, day))
	add(o.CountDay(ctx, day))
	add(o.Trackers(ctx))
	add(o.RemoveTracker(ctx, "x/y"))
	add(o.ApplyViews(ctx, true))
	return errs
}

func TestWhatIsAskedArrives(t *testing.T) {
	a := &asked{}
	client := serve(t, a)
	if err := errors.Join(askAll(t.Context(), client)...); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	err := client.Tail(t.Context(), admin.TailFilter{Source: "web", Event: "buy it"}, func(e admin.TailEvent) error {
		if e.EventID != "one" {
			t.Errorf("tail gave %+v", e)
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Errorf("tail ended with %v", err)
	}
	want := []string{"query select 1 7", "event a/b c true", "reconcile 2026-11-03", "verify 2026-11-03", "uncounted 2026-11-03", "count 2026-11-03", "trackers", "remove x/y", "views true", "tail web buy it"}
	if !slices.Equal(a.calls, want) {
		t.Errorf("asked %q, want %q", a.calls, want)
	}
}

func TestErrorsKeepTheirClassAndText(t *testing.T) {
	for _, class := range []error{admin.ErrBadRequest, admin.ErrNotFound, nil} {
		a := &asked{err: errors.New("this text")}
		switch class {
		case admin.ErrBadRequest:
			a.err = admin.BadRequest(a.err)
		case admin.ErrNotFound:
			a.err = admin.NotFound(a.err)
		}
		for i, err := range askAll(t.Context(), serve(t, a)) {
			if err == nil || err.Error() != "this text" || errors.Is(err, admin.ErrBadRequest) != (class == admin.ErrBadRequest) || errors.Is(err, admin.ErrNotFound) != (class == admin.ErrNotFound) {
				t.Errorf("class %v, call %d: %v", class, i, err)
			}
		}
	}
}

func TestNoGateway(t *testing.T) {
	if _, err := admin.Dial(t.Context(), t.TempDir()); !errors.Is(err, admin.ErrNoGateway) {
		t.Errorf("got %v", err)
	}
}
