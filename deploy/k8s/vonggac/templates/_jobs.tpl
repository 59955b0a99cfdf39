{{/* Jobs that migrate a database. */}}

{{/*
Before install and upgrade, so that no service of the new release meets tables of the old one. A Cluster of ours does not
stand before the install: there the Job is a plain one at install, and the services wait for it (`/readyz`).
*/}}
{{- define "vonggac.migrationIsHook" -}}
{{- if not (and .Values.postgresql.cloudnativepg.enabled .Release.IsInstall) -}}true{{- end -}}
{{- end }}

{{/* (root, weight) */}}
{{- define "vonggac.migrationAnnotations" -}}
{{- if include "vonggac.migrationIsHook" (index . 0) -}}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ index . 1 | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
{{- end }}

{{- define "vonggac.migration" -}}
{{- $root := index . 0 -}}
{{- $job := printf "migrate-%s" (index . 1) -}}
{{- $spec := include "vonggac.migrationSpec" . -}}
{{- $unlike := printf "-%s" (sha256sum $spec | trunc 8) -}}
{{- if include "vonggac.migrationIsHook" $root }}{{ $unlike = "" }}{{ end -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "vonggac.metadata" (list $root $job $unlike) | nindent 2 }}
  {{- include "vonggac.migrationAnnotations" (list $root "0") | nindent 2 }}
spec:
  {{- $spec | nindent 2 }}
{{- end }}

{{- define "vonggac.migrationSpec" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
{{- $mounts := include "vonggac.databaseMounts" . -}}
{{- include "vonggac.jobBeginning" (list $root (printf "migrate-%s" $component)) }}
    {{- include "vonggac.placement" $values | nindent 4 }}
    containers:
      - name: migrate
        image: {{ include "vonggac.image" (list $root $values.image) | quote }}
        imagePullPolicy: {{ $root.Values.image.pullPolicy }}
        args: [migrate]
        # No ConfigMap of the release stands yet.
        env:
          {{- range $name, $value := include "vonggac.environment" . | fromYaml }}
          - { name: {{ $name }}, value: {{ $value | quote }} }
          {{- end }}
        {{- include "vonggac.jobEnd" (list $root $mounts) | nindent 8 }}
    volumes:
      {{- include "vonggac.volumes" $mounts | nindent 6 }}
{{- end }}

{{- define "vonggac.setupMounts" -}}
nats={{ include "vonggac.secret" (list . "natsSetup") }}=nats.password
{{- if include "vonggac.natsTls" . }}
nats-ca={{ include "vonggac.secret" (list . "natsCa") }}=ca.crt
{{- end }}
{{- end }}

{{/* A JSON list: what declares the streams, with what is stated of them. */}}
{{- define "vonggac.setupCommand" -}}
{{- $command := list "python" "-m" "vonggac.bus" "--nats" (include "vonggac.natsUrl" .) "--user" "setup" "--password-file" "/run/vonggac/nats/nats.password" "--replicas" (include "vonggac.streamReplicas" .) "--observations-max-bytes" (toString (int64 .Values.nats.observationsMaxBytes)) -}}
{{- if include "vonggac.natsTls" . -}}
{{- $command = concat $command (list "--ca-file" "/run/vonggac/nats-ca/ca.crt") -}}
{{- end -}}
{{- toJson $command -}}
{{- end }}

{{- define "vonggac.setupSpec" -}}
{{- $mounts := include "vonggac.setupMounts" . -}}
{{- include "vonggac.jobBeginning" (list . "setup") }}
    {{- include "vonggac.placement" .Values.inventory | nindent 4 }}
    containers:
      - name: setup
        image: {{ include "vonggac.image" (list . .Values.inventory.image) | quote }}
        imagePullPolicy: {{ .Values.image.pullPolicy }}
        command: {{ include "vonggac.setupCommand" . }}
        {{- include "vonggac.jobEnd" (list . $mounts) | nindent 8 }}
    volumes:
      {{- include "vonggac.volumes" $mounts | nindent 6 }}
{{- end }}

{{/* (root, job): a Job's spec up to where its pods go. */}}
{{- define "vonggac.jobBeginning" -}}
{{- $root := index . 0 -}}
backoffLimit: 20
activeDeadlineSeconds: {{ int $root.Values.jobs.withinSeconds }}
ttlSecondsAfterFinished: {{ int $root.Values.jobs.keptSeconds }}
template:
  metadata:
    labels:
      {{- include "vonggac.labels" . | nindent 6 }}
  spec:
    {{- include "vonggac.podBasics" . | nindent 4 }}
    restartPolicy: OnFailure
{{- end }}

{{/* (root, mounts): the rest of a Job's container. */}}
{{- define "vonggac.jobEnd" -}}
{{- $root := index . 0 -}}
securityContext:
  {{- include "vonggac.containerSecurity" $root | nindent 2 }}
resources:
  {{- include "vonggac.resources" $root.Values.jobs.resources | nindent 2 }}
volumeMounts:
  {{- include "vonggac.volumeMounts" (index . 1) | nindent 2 }}
{{- end }}

{{- define "vonggac.migrationServiceaccount" -}}
{{- $root := index . 0 -}}
{{- $job := printf "migrate-%s" (index . 1) -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "vonggac.metadata" (list $root $job) | nindent 2 }}
  {{- include "vonggac.migrationAnnotations" (list $root "-10") | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{- define "vonggac.migrationNetworkpolicy" -}}
{{- $root := index . 0 -}}
{{- $job := printf "migrate-%s" (index . 1) -}}
{{- if $root.Values.networkPolicy.enabled -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "vonggac.metadata" (list $root $job) | nindent 2 }}
  {{- include "vonggac.migrationAnnotations" (list $root "-10") | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "vonggac.selector" (list $root $job) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "vonggac.egressDns" $root | nindent 4 }}
    {{- include "vonggac.egressPostgres" $root | nindent 4 }}
{{- end }}
{{- end }}
