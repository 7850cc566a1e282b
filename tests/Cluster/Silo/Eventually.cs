namespace Granary.Cluster.Silo;

/// <summary>Asks again and again until something is so; a test's own timeout or the deadline ends it.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    public static async Task HoldsAsync(string what, Func<Task<bool>> holds)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(s_deadline);
        using var timer = new PeriodicTimer(s_interval);
        while (!await holds())
        {
            if (deadline.IsCancellationRequested)
                Assert.Fail($"it did not come about that {what}");
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    public static Task HoldsAsync(string what, Func<bool> holds) => HoldsAsync(what, () => Task.FromResult(holds()));
}
