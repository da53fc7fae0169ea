package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/lease"
)

// nodeFile holds the permanent name of the data directory within the cluster.
const nodeFile = "node"

// warehousePlace is the name under which the cluster keeps which process has the
// DuckDB file: there is one.
const warehousePlace = "warehouse"

// loaderLease is the lease of the loader.
const loaderLease = "loader"

// indexForgotten is for how long nothing is heard of a process before the
// journal is no longer kept for its duplicate index.
const indexForgotten = time.Hour

// openMember makes this process one of those that share the journal. With a
// journal of its own there are no others.
func (g *Gateway) openMember(ctx context.Context) error {
	node := "only"
	var store lease.Store // none: there are no others
	if g.shared() {
		store = g.journal.KV()
	}
	if g.shared() && g.readsEvents() {
		var err error
		if node, err = nodeName(filepath.Join(g.settings.Config.Data, nodeFile)); err != nil {
			return fmt.Errorf("name this process: %w", err)
		}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	g.node = node
	g.member, err = lease.Join(store, g.settings.Config.Lease, lease.Options{
		Node: node, Name: fmt.Sprintf("%s, process %d", host, os.Getpid()), Logger: g.log.With("component", "lease"), Registerer: g.registry,
	})
	if err != nil {
		return err
	}
	return g.placeWarehouse(ctx)
}

// shared reports whether other processes may use the journal.
func (g *Gateway) shared() bool { return g.settings.Config.Journal.URL != "" }

// placeWarehouse makes this process's DuckDB file the warehouse of the cluster. It
// fails if another process has it: with two files neither would have all rows.
func (g *Gateway) placeWarehouse(ctx context.Context) error {
	if !g.settings.Roles.Loader || g.settings.Config.Warehouse.Kind != config.KindDuckDB {
		return nil
	}
	err := g.member.Place(ctx, warehousePlace, g.settings.Adopt)
	if errors.Is(err, lease.ErrPlacedElsewhere) {
		return fmt.Errorf("%w: the loader fills the DuckDB file there, and with DuckDB there is one; "+
			"start this process with other roles (--role dispatcher --role trace), or, if that file is gone for good, "+
			"make the one here the warehouse with --adopt-warehouse", err)
	}
	return err
}

// nodeName reads the name of the data directory, which it makes the first time.
func nodeName(path string) (string, error) {
	text, err := os.ReadFile(path)
	if name := strings.TrimSpace(string(text)); name != "" {
		return name, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	name := strings.ToLower(rand.Text()[:12])
	return name, config.WriteDurably(path, name+"\n")
}

// runLoader runs the loader while this process holds its lease.
func (g *Gateway) runLoader(ctx context.Context) error {
	return g.member.RunHolding(ctx, loaderLease, g.loader.Run)
}

// forgetIndexes removes the pins of duplicate indexes whose processes are gone. When
// such a process comes back, its index does not know what was trimmed meanwhile.
func (g *Gateway) forgetIndexes(ctx context.Context) error {
	if !g.shared() {
		return nil
	}
	var errs []error
	for reader := range g.journal.Events().Pins() {
		node, isIndex := strings.CutPrefix(reader, indexReaders+"-")
		if !isIndex || g.member.SilentFor(node) < indexForgotten {
			continue
		}
		g.log.Warn("a process is gone: the journal is no longer kept for its duplicate index", "node", node)
		errs = append(errs, g.journal.Events().Unpin(ctx, reader))
	}
	return errors.Join(errs...)
}

// indexReader is the name of the pin of this process's duplicate index. In a cluster each process that reads has an index of its own.
func (g *Gateway) indexReader() string {
	if g.shared() {
		return indexReaders + "-" + g.node
	}
	return indexReaders
}
