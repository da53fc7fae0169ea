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

// indexReader is the name under which this process's duplicate index holds the
// journal. Processes of other roles have indexes of their own.
func (g *Gateway) indexReader() string {
	name := indexReaders
	if r := g.settings.roles; r != everyRole() {
		if r.trace {
			name += "-trace"
		}
		if r.loader {
			name += "-loader"
		}
	}
	return name
}
