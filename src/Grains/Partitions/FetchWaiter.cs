namespace Granary.Grains.Partitions;

/// <summary>One reader's wait, as a task that ends when it is woken, when its time is over, or when the silo begins to stop.</summary>
internal sealed class FetchWaiter : TaskCompletionSource, IFetchWaiter, IDisposable
{
    private readonly ITimer _limit;
    private readonly CancellationTokenRegistration _stopping;

    public FetchWaiter(Guid readerId, long offset, TimeSpan limit, SiloPartitions silo)
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        (ReaderId, Offset) = (readerId, offset);
        _limit = silo.Time.CreateTimer(static waiter => ((FetchWaiter)waiter!).Wake(), this, limit, Timeout.InfiniteTimeSpan);
        _stopping = silo.Stopping.UnsafeRegister(static waiter => ((FetchWaiter)waiter!).Wake(), this);
    }

    public Guid ReaderId { get; }

    public long Offset { get; }

    public void Wake() => TrySetResult();

    public void Dispose()
    {
        _limit.Dispose();
        _stopping.Dispose();
    }
}
