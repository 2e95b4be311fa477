// Alerting rules that hold for every service by themselves, as Prometheus has them: what no count of requests says.

/** By which the group of the rules and errors of it are called. */
export const DEFAULT_RULES_FILE = 'andon: default rules'

/** The text of a file of rules. Each names its runbook. */
export const DEFAULT_RULES: string = `groups:
  - name: andon-defaults
    interval: 30s
    rules:
      # The mean of all requests: the share of slow ones is an objective of its own, which pages.
      - alert: ResponsesSlow
        expr: |
          sum by (service_name, deployment_environment_name) (rate(http_server_request_duration_seconds_sum[10m]))
            / sum by (service_name, deployment_environment_name) (rate(http_server_request_duration_seconds_count[10m]))
            > 0.5
          and sum by (service_name, deployment_environment_name) (increase(http_server_request_duration_seconds_count[10m])) > 30
        for: 10m
        keep_firing_for: 5m
        labels: { severity: warning }
        annotations:
          runbook: quadratic-path
          summary: "{{ $labels.service_name }} answers in {{ $value | humanizeDuration }} on average; below 500ms is wanted"
      - alert: EventLoopBlocked
        expr: |
          max by (service_name, deployment_environment_name, instance) (max_over_time(nodejs_eventloop_delay_p99_seconds[2m])) > 0.25
          and max by (service_name, deployment_environment_name, instance) (min_over_time(nodejs_eventloop_delay_p99_seconds[2m])) > 0.1
        for: 2m
        keep_firing_for: 3m
        labels: { severity: warning }
        annotations:
          runbook: blocked-event-loop
          summary: "The event loop of {{ $labels.service_name }} ({{ $labels.instance }}) is held up for {{ $value | humanizeDuration }}"
      - alert: HeapNearlyFull
        expr: |
          sum by (service_name, deployment_environment_name, instance) (v8js_memory_heap_used_bytes)
            / sum by (service_name, deployment_environment_name, instance) (v8js_memory_heap_limit_bytes)
            > 0.9
        for: 5m
        keep_firing_for: 5m
        labels: { severity: critical }
        annotations:
          runbook: memory-leak
          summary: "{{ $labels.service_name }} ({{ $labels.instance }}) uses {{ $value | humanizePercentage }} of the heap that V8 allows; at 100 % the process ends"
      # What is left after collections rises, and at this pace reaches the limit within four hours.
      - alert: MemoryLeaks
        expr: |
          max by (service_name, deployment_environment_name, instance) (predict_linear(andon_heap_floor_bytes[1h], 4 * 3600))
            > sum by (service_name, deployment_environment_name, instance) (v8js_memory_heap_limit_bytes)
          and max by (service_name, deployment_environment_name, instance) (deriv(andon_heap_floor_bytes[30m])) > 0
          and max by (service_name, deployment_environment_name, instance) (count_over_time(andon_heap_floor_bytes[1h])) > 30
        for: 15m
        keep_firing_for: 15m
        labels: { severity: warning }
        annotations:
          runbook: memory-leak
          summary: "The heap of {{ $labels.service_name }} ({{ $labels.instance }}) grows towards its limit: in four hours it would hold {{ $value | humanize1024 }}B"
      - alert: ProcessorsSaturated
        expr: avg by (service_name, deployment_environment_name, instance) (avg_over_time(nodejs_eventloop_utilization_ratio[5m])) > 0.95
        for: 5m
        keep_firing_for: 5m
        labels: { severity: warning }
        annotations:
          runbook: quadratic-path
          summary: "The event loop of {{ $labels.service_name }} ({{ $labels.instance }}) is busy {{ $value | humanizePercentage }} of the time: no more requests fit"
      - alert: PoolExhausted
        expr: sum by (service_name, deployment_environment_name, db_client_connection_pool_name) (min_over_time(db_client_connection_pending_requests[1m])) > 0
        for: 2m
        keep_firing_for: 2m
        labels: { severity: critical }
        annotations:
          runbook: pool-exhaustion
          summary: "{{ $value }} requests of {{ $labels.service_name }} wait for a connection of the pool {{ $labels.db_client_connection_pool_name }}, and have for two minutes"
      - alert: StatementsSlow
        expr: |
          histogram_count(sum by (service_name, deployment_environment_name) (increase(db_client_operation_duration_seconds[5m])))
            * (1 - histogram_fraction(0, 1, sum by (service_name, deployment_environment_name) (rate(db_client_operation_duration_seconds[5m]))))
            > 5
        for: 5m
        keep_firing_for: 5m
        labels: { severity: warning }
        annotations:
          runbook: slow-query
          summary: "{{ $value | humanize }} database statements of {{ $labels.service_name }} took longer than a second within five minutes"
`
