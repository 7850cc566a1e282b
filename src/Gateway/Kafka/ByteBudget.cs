namespace Granary.Gateway.Kafka;

/// <summary>
/// Bytes of memory that many parties share. Who finds too little left waits in line; one that wants more than there is in all waits until
/// everything is free. Safe for many threads.
/// </summary>
internal sealed class ByteBudget(long limitBytes)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _line = new();
    private long _taken;

    public long LimitBytes { get; } = limitBytes;

    public long TakenBytes => Volatile.Read(ref _taken);

    /// <summary>Takes bytes; at once where they are free and nobody is in line.</summary>
    public ValueTask TakeAsync(long bytes, CancellationToken cancellation)
    {
        LinkedListNode<Waiter> place;
        lock (_gate)
        {
            if (_line.Count == 0 && IsFree(bytes))
            {
                _taken += bytes;
                return ValueTask.CompletedTask;
            }

            place = _line.AddLast(new Waiter(bytes));
        }

        return WaitAsync(place, cancellation);
    }

    /// <summary>Gives back what was taken.</summary>
    public void Return(long bytes)
    {
        lock (_gate)
        {
            _taken -= bytes;
            Admit();
        }
    }

    private bool IsFree(long bytes) => _taken == 0 || _taken + bytes <= LimitBytes;

    private void Admit()
    {
        while (_line.First is { } first && IsFree(first.Value.Bytes))
        {
            _line.RemoveFirst();
            _taken += first.Value.Bytes;
            first.Value.Admitted.SetResult();
        }
    }

    private async ValueTask WaitAsync(LinkedListNode<Waiter> place, CancellationToken cancellation)
    {
        try
        {
            await place.Value.Admitted.Task.WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
            {
                if (place.List is null)
                    _taken -= place.Value.Bytes;
                else
                    _line.Remove(place);
                Admit();
            }

            throw;
        }
    }

    private sealed class Waiter(long bytes)
    {
        public long Bytes { get; } = bytes;

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
