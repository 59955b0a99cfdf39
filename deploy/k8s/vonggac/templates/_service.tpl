{{/* The kinds that each of the four services has; each takes (list root component). */}}

{{- define "vonggac.deployment" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
{{- $worker := has $component (list "prober" "forwarder") -}}
{{- $mounts := include "vonggac.mounts" . -}}
{{- if not $root.Values.restoring -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "vonggac.metadata" . | nindent 2 }}
  {{- if and $worker (not (dig "limits" "cpu" "" $values.resources)) }}
  annotations:
    checkov.io/skip1: CKV_K8S_11=media and measurements that are throttled come late; requests reserve the CPU
  {{- end }}
spec:
  {{- if not (or $values.autoscaling.enabled (and $worker $values.keda.enabled)) }}
  replicas: {{ int $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    # Nobody goes before his successor is ready.
    rollingUpdate: { maxUnavailable: 0, maxSurge: {{ include "vonggac.maxSurge" $root }} }
  selector:
    matchLabels:
      {{- include "vonggac.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- mergeOverwrite (deepCopy $values.podLabels) (include "vonggac.labels" . | fromYaml) | toYaml | nindent 8 }}
      annotations:
        vonggac/settings: {{ include "vonggac.environment" . | sha256sum | trunc 16 | quote }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "vonggac.podBasics" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
      {{- include "vonggac.placement" $values | nindent 6 }}
      topologySpreadConstraints:
        {{- include "vonggac.spread" . | nindent 8 }}
      containers:
        - name: {{ $component }}
          image: {{ include "vonggac.image" (list $root $values.image) | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          securityContext:
            {{- include "vonggac.containerSecurity" $root | nindent 12 }}
          envFrom:
            - configMapRef: { name: {{ include "vonggac.fullname" $root }}-{{ $component }} }
          {{- if $root.Values.extraCa.configMap }}
          env:
            # Read by the image's entry point, which puts them beside the public ones.
            - { name: VONGGAC_EXTRA_CA_FILE, value: /run/vonggac/extra-ca/ca.crt }
          {{- end }}
          ports:
            - { name: http, containerPort: 8080, protocol: TCP }
            {{- if and (eq $component "forwarder") $root.Values.served.enabled }}
            {{- range include "vonggac.servedPorts" $root | trim | splitList "\n" | compact }}
            {{- $parts := splitList " " . }}
            - { name: {{ index $parts 0 }}, containerPort: {{ index $parts 2 }}, protocol: {{ index $parts 3 }} }
            {{- end }}
            {{- end }}
          # Alive is not ready: while NATS or PostgreSQL is away a pod is not ready, and a restart would mend nothing.
          startupProbe:
            httpGet: { path: /livez, port: http }
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /livez, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          {{- if not $worker }}
          # Requests still come until every node has taken the pod off the Service.
          lifecycle:
            preStop:
              sleep: { seconds: 5 }
          {{- end }}
          resources:
            {{- include "vonggac.resources" $values.resources | nindent 12 }}
          volumeMounts:
            {{- include "vonggac.volumeMounts" $mounts | nindent 12 }}
            {{- if $root.Values.extraCa.configMap }}
            - { name: extra-ca, mountPath: /run/vonggac/extra-ca, readOnly: true }
            {{- end }}
      volumes:
        {{- include "vonggac.volumes" $mounts | nindent 8 }}
        {{- with $root.Values.extraCa }}
        {{- if .configMap }}
        - name: extra-ca
          configMap: { name: {{ .configMap | quote }}, defaultMode: 0444, items: [{ key: {{ .key | quote }}, path: ca.crt }] }
        {{- end }}
        {{- end }}
{{- end }}
{{- end }}

{{- define "vonggac.configmap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "vonggac.metadata" . | nindent 2 }}
data:
  {{- include "vonggac.environment" . | nindent 2 }}
{{- end }}

{{- define "vonggac.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "vonggac.metadata" . | nindent 2 }}
    # The job of Prometheus, by which the alert rules know the service.
    vonggac/job: vonggac-{{ index . 1 }}
spec:
  type: ClusterIP
  selector:
    {{- include "vonggac.selector" . | nindent 4 }}
  ports:
    - { name: http, port: 8080, targetPort: http, protocol: TCP }
{{- end }}

{{- define "vonggac.serviceaccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "vonggac.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{- define "vonggac.poddisruptionbudget" -}}
{{- $root := index . 0 -}}
{{- $values := index $root.Values (index . 1) -}}
{{- if and (not $root.Values.restoring) $values.disruptionBudget.enabled (gt (int (include "vonggac.leastReplicas" $values)) 1) -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "vonggac.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ int $values.disruptionBudget.maxUnavailable }}
  # A pod that is not ready keeps no node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "vonggac.selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{- define "vonggac.horizontalpodautoscaler" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
{{- if and $values.autoscaling.enabled (not $root.Values.restoring) -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "vonggac.metadata" . | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "vonggac.fullname" $root }}-{{ $component }} }
  minReplicas: {{ int $values.autoscaling.minReplicas }}
  maxReplicas: {{ int $values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ int $values.autoscaling.cpuPercent }} }
    {{- if include "vonggac.customMetrics" $root }}
    {{- if eq $component "forwarder" }}
    - type: Pods
      pods:
        metric: { name: vonggac_forwarder_cameras_held }
        target: { type: AverageValue, averageValue: {{ int $values.autoscaling.camerasPerReplica | quote }} }
    {{- else if eq $component "prober" }}
    - type: Pods
      pods:
        metric: { name: vonggac_prober_verifications_running }
        target: { type: AverageValue, averageValue: {{ int $values.autoscaling.readBacksPerReplica | quote }} }
    {{- end }}
    {{- end }}
  behavior:
    {{- include "vonggac.scalingBehavior" . | nindent 4 }}
{{- end }}
{{- end }}

{{/* Up at once, down a pod in five minutes: each step of the workers is a hand-over of cameras. */}}
{{- define "vonggac.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies: [{ type: Percent, value: 100, periodSeconds: 60 }, { type: Pods, value: 2, periodSeconds: 60 }]
scaleDown:
  stabilizationWindowSeconds: 600
  policies: [{ type: Pods, value: 1, periodSeconds: 300 }]
{{- end }}

{{/* (list root component triggers): each trigger is a stream, its consumer, and the cameras of it for each pod. */}}
{{- define "vonggac.scaledobject" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
{{- if and $values.keda.enabled (not $root.Values.restoring) -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "vonggac.metadata" (list $root $component) | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "vonggac.fullname" $root }}-{{ $component }} }
  minReplicaCount: {{ int $values.keda.minReplicas }}
  maxReplicaCount: {{ int $values.keda.maxReplicas }}
  pollingInterval: 30
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- include "vonggac.scalingBehavior" . | nindent 8 }}
  triggers:
    # KEDA's lag is what waits and what is not acknowledged: a camera's job is never acknowledged while the camera exists.
    {{- range index . 2 }}
    - type: nats-jetstream
      metadata:
        natsServerMonitoringEndpoint: {{ include "vonggac.natsMonitoring" $root | quote }}
        account: STREAMS
        stream: {{ index . 0 }}
        consumer: {{ index . 1 }}
        lagThreshold: {{ int (index . 2) | quote }}
        activationLagThreshold: "0"
    {{- end }}
{{- end }}
{{- end }}

{{- define "vonggac.servicemonitor" -}}
{{- $root := index . 0 -}}
{{- if $root.Values.monitoring.serviceMonitors.enabled -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "vonggac.metadata" . | nindent 2 }}
    {{- with $root.Values.monitoring.serviceMonitors.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: vonggac/job
  selector:
    matchLabels:
      {{- include "vonggac.selector" . | nindent 6 }}
  endpoints:
    {{- include "vonggac.scrape" (list $root "http") | nindent 4 }}
{{- end }}
{{- end }}

{{/* (root, port): how Prometheus scrapes. Several releases share one: the alert rules keep them apart by `release`. */}}
{{- define "vonggac.scrape" -}}
- port: {{ index . 1 }}
  path: /metrics
  interval: 15s
  relabelings:
    - { targetLabel: release, replacement: {{ (index . 0).Release.Name | quote }} }
{{- end }}

{{/* An image of somebody else. */}}
{{- define "vonggac.foreignImage" -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}
