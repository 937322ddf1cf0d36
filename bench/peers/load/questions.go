package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const pageSize = 20

// Number of spans of each trace of an answer, by the trace's id in 32 hex digits.
type traces map[string]int

type edge struct{ caller, callee string }

// A list of the newest traces in which a span of the service has the attribute; an empty key means no condition.
type listQuestion struct {
	service    string
	key, value string
}

// The questions in the words of one API. Times are a closed window in nanoseconds.
type queryAPI interface {
	trace(id string) (traces, error)
	list(question listQuestion, fromNs, toNs int64) (traces, error)
	// The number of calls of each edge.
	serviceMap(fromNs, toNs int64) (map[edge]int, error)
}

type caller struct {
	client *http.Client
	url    string
}

func newCaller(base string) caller { return caller{&http.Client{Timeout: time.Minute}, base} }

// A body of nil is a GET.
func (c caller) ask(path string, body any, answer any) error {
	method, content := "GET", []byte(nil)
	if body != nil {
		method, content = "POST", mustJSON(body)
	}
	request, err := http.NewRequest(method, c.url+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusNotFound {
		return errNotFound
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %.200s", path, response.Status, text)
	}
	return json.Unmarshal(text, answer)
}

var errNotFound = fmt.Errorf("there is no such trace")

// Jaeger's HTTP API, which VictoriaTraces and openray have as well.
type jaegerAPI struct{ caller }

type jaegerTraces struct {
	Data []struct {
		TraceID string            `json:"traceID"`
		Spans   []json.RawMessage `json:"spans"`
	} `json:"data"`
}

func (a jaegerAPI) traces(path string) (traces, error) {
	var answer jaegerTraces
	if err := a.ask(path, nil, &answer); err != nil {
		return nil, err
	}
	found := traces{}
	for _, one := range answer.Data {
		found[one.TraceID] = len(one.Spans)
	}
	return found, nil
}

func (a jaegerAPI) trace(id string) (traces, error) { return a.traces("/api/traces/" + id) }

func (a jaegerAPI) list(question listQuestion, fromNs, toNs int64) (traces, error) {
	query := url.Values{"service": {question.service}, "limit": {fmt.Sprint(pageSize)}, "lookback": {"custom"},
		"start": {fmt.Sprint(fromNs / 1000)}, "end": {fmt.Sprint(toNs / 1000)}}
	if question.key != "" {
		query.Set("tags", string(mustJSON(map[string]string{question.key: question.value})))
	}
	return a.traces("/api/traces?" + query.Encode())
}

type link struct {
	Parent    string `json:"parent"`
	Child     string `json:"child"`
	CallCount int    `json:"callCount"`
}

func edgesOf(links []link) map[edge]int {
	counts := map[edge]int{}
	for _, one := range links {
		counts[edge{one.Parent, one.Child}] += one.CallCount
	}
	return counts
}

func (a jaegerAPI) serviceMap(fromNs, toNs int64) (map[edge]int, error) {
	var answer struct {
		Data []link `json:"data"`
	}
	path := fmt.Sprintf("/api/dependencies?endTs=%d&lookback=%d", toNs/1e6, (toNs-fromNs)/1e6)
	err := a.ask(path, nil, &answer)
	return edgesOf(answer.Data), err
}

type zipkinAPI struct{ caller }

type zipkinFound []struct {
	TraceID string `json:"traceId"`
}

func (a zipkinAPI) trace(id string) (traces, error) {
	var answer zipkinFound
	if err := a.ask("/api/v2/trace/"+id, nil, &answer); err != nil {
		return nil, err
	}
	return traces{id: len(answer)}, nil
}

func (a zipkinAPI) list(question listQuestion, fromNs, toNs int64) (traces, error) {
	query := url.Values{"serviceName": {question.service}, "limit": {fmt.Sprint(pageSize)},
		"endTs": {fmt.Sprint(toNs / 1e6)}, "lookback": {fmt.Sprint((toNs - fromNs) / 1e6)}}
	if question.key != "" {
		query.Set("annotationQuery", question.key+"="+question.value)
	}
	var answer []zipkinFound
	if err := a.ask("/api/v2/traces?"+query.Encode(), nil, &answer); err != nil {
		return nil, err
	}
	found := traces{}
	for _, spans := range answer {
		if len(spans) > 0 {
			found[spans[0].TraceID] = len(spans)
		}
	}
	return found, nil
}

func (a zipkinAPI) serviceMap(fromNs, toNs int64) (map[edge]int, error) {
	var answer []link
	path := fmt.Sprintf("/api/v2/dependencies?endTs=%d&lookback=%d", toNs/1e6, (toNs-fromNs)/1e6)
	err := a.ask(path, nil, &answer)
	return edgesOf(answer), err
}

type xrayAPI struct{ caller }

// Most ids of a BatchGetTraces call.
const batchSize = 5

type xrayEntityFound struct {
	Subsegments []xrayEntityFound `json:"subsegments"`
}

func (e xrayEntityFound) count() int {
	sum := 1
	for _, below := range e.Subsegments {
		sum += below.count()
	}
	return sum
}

func (a xrayAPI) wholeTraces(ids []string) (traces, error) {
	found := traces{}
	for batch := range slices.Chunk(ids, batchSize) {
		var answer struct {
			Traces []struct {
				ID       string `json:"Id"`
				Segments []struct{ Document string }
			}
		}
		if err := a.ask("/Traces", map[string]any{"TraceIds": batch}, &answer); err != nil {
			return nil, err
		}
		for _, one := range answer.Traces {
			for _, segment := range one.Segments {
				var entity xrayEntityFound
				if err := json.Unmarshal([]byte(segment.Document), &entity); err != nil {
					return nil, err
				}
				found[strings.ReplaceAll(one.ID[2:], "-", "")] += entity.count()
			}
		}
	}
	return found, nil
}

func (a xrayAPI) trace(id string) (traces, error) {
	return a.wholeTraces([]string{"1-" + id[:8] + "-" + id[8:]})
}

// A summary is no trace, so that the first page is followed by calls for its traces.
func (a xrayAPI) list(question listQuestion, fromNs, toNs int64) (traces, error) {
	filter := fmt.Sprintf("service(%q)", question.service)
	switch question.key {
	case "":
	case statusKey:
		filter = fmt.Sprintf("service(%q) { http.status = %s }", question.service, question.value)
	default:
		filter += fmt.Sprintf(" AND annotation.%s = %q", annotationKey(question.key), question.value)
	}
	input := map[string]any{"StartTime": seconds(fromNs), "EndTime": seconds(toNs), "FilterExpression": filter}
	var answer struct {
		TraceSummaries []struct {
			ID string `json:"Id"`
		}
	}
	if err := a.ask("/TraceSummaries", input, &answer); err != nil {
		return nil, err
	}
	var ids []string
	for _, summary := range answer.TraceSummaries[:min(pageSize, len(answer.TraceSummaries))] {
		ids = append(ids, summary.ID)
	}
	return a.wholeTraces(ids)
}

func (a xrayAPI) serviceMap(fromNs, toNs int64) (map[edge]int, error) {
	var answer struct {
		Services []struct {
			ReferenceID int `json:"ReferenceId"`
			Name        string
			Type        string
			Edges       []struct {
				ReferenceID       int `json:"ReferenceId"`
				SummaryStatistics struct{ TotalCount int }
			}
		}
	}
	input := map[string]any{"StartTime": seconds(fromNs), "EndTime": seconds(toNs)}
	if err := a.ask("/ServiceGraph", input, &answer); err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, service := range answer.Services {
		names[service.ReferenceID] = service.Name
	}
	counts := map[edge]int{}
	for _, service := range answer.Services {
		// The users of a service are a node with its name.
		if service.Type == "client" {
			continue
		}
		for _, one := range service.Edges {
			counts[edge{service.Name, names[one.ReferenceID]}] += one.SummaryStatistics.TotalCount
		}
	}
	return counts, nil
}

func seconds(ns int64) float64 { return float64(ns/1000) / 1e6 }

const (
	statusKey = "http.response.status_code"
	orderKey  = "order.id"
)

// The right answers, from the generated traces.
type expectations struct {
	// The newest traces of a service, the newest first; those in which a span of it has status 500.
	newest, withFault map[string][]string
	edges             map[edge]int
}

func expectationsOf(d dataset) expectations {
	expected := expectations{map[string][]string{}, map[string][]string{}, map[edge]int{}}
	add := func(lists map[string][]string, service, id string) {
		list := lists[service]
		// Only the spans of one trace come one after the other.
		if len(list) < pageSize && (len(list) == 0 || list[len(list)-1] != id) {
			lists[service] = append(list, id)
		}
	}
	for index := d.traceCount - 1; index >= 0; index-- {
		spans := d.trace(index)
		id := hexOf(spans)
		for _, s := range spans {
			add(expected.newest, serviceName(s.service), id)
			if s.isFault {
				add(expected.withFault, serviceName(s.service), id)
			}
			if s.callee != "" {
				expected.edges[edge{serviceName(s.service), s.callee}]++
			}
		}
	}
	return expected
}

// A question with its sample number asked; nil when the answer is right.
type question struct {
	name, description string
	ask               func(sample int) error
}

func questionsOf(api queryAPI, d dataset, expected expectations) []question {
	// The last spans end after the last start; a request counts on a map at its end.
	fromNs, toNs := d.fromNs, d.toNs+10e9
	list := func(question listQuestion, ids []string) error {
		found, err := api.list(question, fromNs, toNs)
		if err != nil {
			return err
		}
		return wrongTraces(found, ids)
	}
	// Spread over the data set, the same ones in each run.
	drawn := func(sample int) int { return int((int64(sample)*7919 + 13) % int64(d.traceCount)) }
	service := func(sample int) string { return serviceName(sample * 7 % serviceCount) }
	return []question{
		{"trace", "trace by id", func(sample int) error {
			id := hexOf(d.trace(drawn(sample)))
			found, err := api.trace(id)
			if err != nil {
				return err
			}
			return wrongTraces(found, []string{id})
		}},
		{"newest", "newest 20 whole traces of a service", func(sample int) error {
			return list(listQuestion{service: service(sample)}, expected.newest[service(sample)])
		}},
		{"status", "newest 20 whole traces of a service with status 500", func(sample int) error {
			asked := listQuestion{service(sample), statusKey, "500"}
			return list(asked, expected.withFault[service(sample)])
		}},
		{"rare", "trace by an attribute that no other trace has", func(sample int) error {
			spans := d.trace(drawn(sample))
			asked := listQuestion{serviceName(spans[0].service), orderKey, d.orderID(drawn(sample))}
			return list(asked, []string{hexOf(spans)})
		}},
		{"map", "service map of all traces", func(int) error {
			counts, err := api.serviceMap(fromNs, toNs)
			if err != nil {
				return err
			}
			return wrongEdges(counts, expected.edges)
		}},
	}
}

func wrongTraces(found traces, ids []string) error {
	for _, id := range ids {
		if found[id] != spansPerTrace {
			return fmt.Errorf("%d of %d spans of %s, among %d traces for %d", found[id], spansPerTrace, id, len(found), len(ids))
		}
	}
	if len(found) != len(ids) {
		return fmt.Errorf("%d traces for %d", len(found), len(ids))
	}
	return nil
}

// Further edges, such as those to databases, are right as well.
func wrongEdges(counts, expected map[edge]int) error {
	for one, count := range expected {
		if counts[one] != count {
			return fmt.Errorf("%d calls from %s to %s for %d, among %d edges", counts[one], one.caller, one.callee, count, len(counts))
		}
	}
	return nil
}
