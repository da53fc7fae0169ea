package config

import (
	"errors"
	"fmt"

	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
)

// Roles says which parts of the gateway run in this process.
type Roles struct {
	Dispatcher, Trace, Loader bool
}

func everyRole() Roles { return Roles{true, true, true} }

// SetRoles keeps the gateway to some of its roles: dispatcher, trace, loader.
// No names mean all of them. A subset needs a journal that the processes share.
func (s *Settings) SetRoles(names []string) error {
	if len(names) == 0 {
		s.Roles = everyRole()
		return nil
	}
	var r Roles
	byName := map[string]*bool{"dispatcher": &r.Dispatcher, "trace": &r.Trace, "loader": &r.Loader}
	for _, name := range names {
		if byName[name] == nil {
			return fmt.Errorf("--role %q: want dispatcher, trace or loader%s", name, strictyaml.Suggest(name, []string{"dispatcher", "trace", "loader"}))
		}
		*byName[name] = true
	}
	if r != everyRole() && s.Config.Journal.URL == "" {
		return errors.New("--role: the roles of several processes meet in a NATS cluster: set journal.url, or run all roles in one process")
	}
	s.Roles = r
	return nil
}
