#!/bin/bash
# Distills a CaiT-S24 on two hosts of eight GPUs:  sbatch slurm.sh
# Started again, by hand or by --requeue, the same command resumes the run.
#SBATCH --job-name=distill_cait
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@120

set -euo pipefail
: "${DATA:?folder of train/CLASS/* and val/CLASS/*, or where TensorFlow Datasets keeps its files; seen by all hosts}"
: "${OUTPUT:?folder for the results, seen by all hosts}"
export DATA OUTPUT

PORT=${PORT:-12345}
mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
workers=$(printf '"%s:'"$PORT"'",' "${hosts[@]}")
export WORKERS="[${workers%,}]"
KERAS_CAIT_SECRET=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n') # for this job; srun passes it on
export KERAS_CAIT_SECRET

# One task per host; TensorFlow uses all GPUs that it sees.
srun --kill-on-bad-exit=1 bash -c '
  export TF_CONFIG="{\"cluster\": {\"worker\": $WORKERS}, \"task\": {\"type\": \"worker\", \"index\": $SLURM_PROCID}}"
  exec .venv/bin/python recipes/distill_cait.py --dataset imagenet2012 --data-dir "$DATA" --preset imagenet \
    --student CaiT_S24 --output "$OUTPUT" --resume'
