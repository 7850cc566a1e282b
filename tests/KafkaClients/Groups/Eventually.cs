namespace Granary.KafkaClients.Groups;

/// <summary>Waits for what clients do in their own time.</summary>
internal static class Eventually
{
    public static Task IsTrueAsync(Func<bool> holds, Func<string> otherwise, int seconds = 40) => IsTrueAsync(() => Task.FromResult(holds()), otherwise, seconds);

    public static async Task IsTrueAsync(Func<Task<bool>> holds, Func<string> otherwise, int seconds = 40)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (!await holds())
        {
            if (deadline.IsCancellationRequested)
                Assert.Fail($"not within {seconds} s: {otherwise()}");
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
