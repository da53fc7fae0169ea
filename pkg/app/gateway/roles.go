package gateway

import (
	"errors"
	"fmt"

	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
)

// roles says which parts of the gateway run in this process.
type roles struct {
	dispatcher, trace, loader bool
}

func everyRole() roles { return roles{true, true, true} }

// SetRoles keeps the gateway to some of its roles: dispatcher, trace, loader.
// No names mean all of them. A subset needs a journal that the processes share.
func (s *Settings) SetRoles(names []string) error {
	if len(names) == 0 {
		s.roles = everyRole()
		return nil
	}
	var r roles
	for _, name := range names {
		switch name {
		case "dispatcher":
			r.dispatcher = true
		case "trace":
			r.trace = true
		case "loader":
			r.loader = true
		default:
			return fmt.Errorf("--role %q: want dispatcher, trace or loader%s", name, strictyaml.Suggest(name, []string{"dispatcher", "trace", "loader"}))
		}
	}
	if r != everyRole() && s.Config.Journal.URL == "" {
		return errors.New("--role: the roles of several processes meet in a NATS cluster: set journal.url, or run all roles in one process")
	}
	s.roles = r
	return nil
}

// AdoptWarehouse makes the DuckDB file of this process the warehouse of a
// cluster whose loader filled another process's.
func (s *Settings) AdoptWarehouse() { s.adopt = true }

// indexReader is the name of the pin of this process's duplicate index. In a cluster each process that reads has an index of its own.
func (g *Gateway) indexReader() string {
	if g.shared() {
		return indexReaders + "-" + g.node
	}
	return indexReaders
}
