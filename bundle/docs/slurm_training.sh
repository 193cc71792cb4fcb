#!/bin/bash
# Trains on all GPUs of one node. From the project's folder: sbatch bundle/docs/slurm_training.sh
#
# Change what stands between the lines. Give the same script again when the job ran out of time: it goes on.
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
# ---------------------------------------------------------------------------------------------------------------------
#SBATCH --job-name=lithium-training
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=04:00:00
#SBATCH --output=training_%j.log

DATASET=my_slices
OUTPUT=runs/mine
MINUTES=200                     # of training in all; below the job's time, so that the last epoch ends within it
PROCESSES=4                     # one per GPU
source .venv/bin/activate
# ---------------------------------------------------------------------------------------------------------------------
set -euo pipefail
srun torchrun --standalone --nproc_per_node "$PROCESSES" \
    -m monai.bundle run training \
    --config_file "['bundle/configs/train.json','bundle/configs/multi_gpu_train.json']" \
    --dataset_dir "$DATASET" --output_dir "$OUTPUT" --max_minutes "$MINUTES" --resume true
