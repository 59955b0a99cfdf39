{{/* What all pods of ours have: the `restricted` Pod Security Standard, no token, no service links. */}}

{{- define "vonggac.podSecurity" -}}
{{- $root := index . 0 -}}
{{- $user := index . 1 | int64 -}}
runAsNonRoot: true
{{- if $user }}
runAsUser: {{ $user }}
runAsGroup: {{ $user }}
fsGroup: {{ $user }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "vonggac.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* The beginning of every pod's spec. */}}
{{- define "vonggac.podBasics" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ include "vonggac.fullname" $root }}-{{ index . 1 }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "vonggac.podSecurity" (list $root $root.Values.runAsUser) | nindent 2 }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Requests and limits: text, whatever kind of number a values file has. */}}
{{- define "vonggac.resources" -}}
{{- range $side, $quantities := . }}
{{ $side }}:
  {{- range $name, $quantity := $quantities }}
  {{ $name }}: {{ include "vonggac.plain" $quantity | quote }}
  {{- else }} {}
  {{- end }}
{{- else -}}
{}
{{- end }}
{{- end }}

{{/* A quantity of CPU in thousandths of a core. */}}
{{- define "vonggac.millicores" -}}
{{- $text := include "vonggac.plain" . -}}
{{- if hasSuffix "m" $text }}{{ trimSuffix "m" $text | float64 | floor | int }}{{ else }}{{ mulf (float64 $text) 1000.0 | floor | int }}{{ end -}}
{{- end }}

{{- define "vonggac.maxSurge" -}}
{{- if kindIs "string" .Values.maxSurge }}{{ if hasSuffix "%" .Values.maxSurge }}{{ .Values.maxSurge | quote }}{{ else }}{{ .Values.maxSurge }}{{ end }}{{ else }}{{ int .Values.maxSurge }}{{ end -}}
{{- end }}

{{/* "true" where the cluster has the metrics of pods, for autoscalers. */}}
{{- define "vonggac.customMetrics" -}}
{{- if or (.Capabilities.APIVersions.Has "custom.metrics.k8s.io/v1beta1") (.Capabilities.APIVersions.Has "custom.metrics.k8s.io/v1beta2") -}}true{{- end -}}
{{- end }}

{{/* Where pods go, from the values of a component. */}}
{{- define "vonggac.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "vonggac.spread" -}}
{{- $root := index . 0 -}}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: {{ if eq $key "kubernetes.io/hostname" }}{{ $root.Values.topologySpread.whenUnsatisfiable }}{{ else }}ScheduleAnyway{{ end }}
  labelSelector:
    matchLabels:
      {{- include "vonggac.selector" $ | nindent 6 }}
  {{- if eq $key "kubernetes.io/hostname" }}
  # Pods of the old version, which go soon, do not count.
  matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end }}

{{/* Fewest pods of a component at rest. */}}
{{- define "vonggac.leastReplicas" -}}
{{- if .autoscaling.enabled -}}
{{- int .autoscaling.minReplicas -}}
{{- else if and .keda .keda.enabled -}}
{{- int .keda.minReplicas -}}
{{- else -}}
{{- int .replicas -}}
{{- end -}}
{{- end }}
