#!/bin/bash
# Segments one stack on all GPUs of several nodes. From the project's folder: sbatch bundle/docs/slurm_inference.sh
#
# Change what stands between the lines. Give the same script again when the job ran out of time: it goes on.
#SBATCH --ntasks-per-node=1
# ---------------------------------------------------------------------------------------------------------------------
#SBATCH --job-name=lithium-segmentation
#SBATCH --nodes=2
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=04:00:00
#SBATCH --output=segmentation_%j.log

STACK=my_stack                  # on a file system that all nodes share, like OUTPUT
WEIGHTS=runs/mine/model.pt
OUTPUT=runs/my_stack
PROCESSES_PER_NODE=4            # one per GPU; on nodes without GPUs one per 2 to 4 cores
source .venv/bin/activate
# ---------------------------------------------------------------------------------------------------------------------
set -euo pipefail
HEAD=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun torchrun --nnodes "$SLURM_NNODES" --nproc_per_node "$PROCESSES_PER_NODE" --max-restarts 3 \
    --rdzv-backend c10d --rdzv-id "$SLURM_JOB_ID" --rdzv-endpoint "$HEAD:29500" \
    -m monai.bundle run \
    --config_file "['bundle/configs/inference.json','bundle/configs/multi_gpu_inference.json']" \
    --stack "$STACK" --weights "$WEIGHTS" --output_dir "$OUTPUT"
