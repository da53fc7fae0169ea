package bigquerytest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

var datasetName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func (c *restCall) insertDataset() (any, *restError) {
	var d bq.Dataset
	if err := json.Unmarshal(c.body, &d); err != nil || d.DatasetReference == nil {
		return nil, invalid("Required parameter is missing: datasetReference")
	}
	id := d.DatasetReference.DatasetId
	if len(id) > maxName || !datasetName.MatchString(id) {
		return nil, invalid("Invalid dataset ID %q. Dataset IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.", id)
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if c.store.datasets[id] != nil {
		return nil, restRefuse(http.StatusConflict, "duplicate", "Already Exists: Dataset %s:%s", c.config.Project, id)
	}
	now := time.Now().UnixMilli()
	d.Kind, d.Id, d.Etag = "bigquery#dataset", c.config.Project+":"+id, "1"
	d.DatasetReference.ProjectId = c.config.Project
	d.Location = or(d.Location, c.config.Location)
	d.CreationTime, d.LastModifiedTime = now, now
	c.store.datasets[id] = &dataset{resource: &d, tables: map[string]*table{}}
	return &d, nil
}

func (c *restCall) getDataset() (any, *restError) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	d, refused := c.dataset()
	if refused != nil {
		return nil, refused
	}
	return d.resource, nil
}

// dataset is that of the path. It is called with the store's mu held.
func (c *restCall) dataset() (*dataset, *restError) {
	id := c.r.PathValue("dataset")
	d := c.store.datasets[id]
	if d == nil {
		return nil, notFound("Not found: Dataset %s:%s", c.config.Project, id)
	}
	return d, nil
}

// listTables lists the tables of a dataset, a page at a time.
func (c *restCall) listTables() (any, *restError) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	d, refused := c.dataset()
	if refused != nil {
		return nil, refused
	}
	page := 50
	if n, err := strconv.Atoi(c.r.URL.Query().Get("maxResults")); err == nil && n > 0 {
		page = n
	}
	after := c.r.URL.Query().Get("pageToken")
	list := &bq.TableList{Kind: "bigquery#tableList", TotalItems: int64(len(d.tables))}
	for _, id := range sortedKeys(d.tables) {
		if id <= after {
			continue
		}
		if len(list.Tables) == page {
			list.NextPageToken = list.Tables[page-1].TableReference.TableId
			break
		}
		r := d.tables[id].describe()
		list.Tables = append(list.Tables, &bq.TableListTables{
			Kind: "bigquery#table", Id: r.Id, TableReference: r.TableReference, Type: r.Type, TimePartitioning: r.TimePartitioning, Clustering: r.Clustering,
		})
	}
	return list, nil
}
