namespace Granary.Abstractions.Subscriptions;

/// <summary>
/// How this process brings records to subscribed grains: the same for all its subscriptions. What differs between them is said by their
/// <see cref="LogSubscriptionAttribute"/>.
/// </summary>
public sealed record LogSubscriptionOptions
{
    /// <summary>
    /// Calls of one subscription under way at a time, all its partitions together; further grains wait for their turn. Partitions, and with
    /// <see cref="SubscriptionKey.Key"/> grains, are otherwise served all at once. Few make slow grains hold up the others; many let a full log flood the silos.
    /// </summary>
    public int MaxConcurrentCalls { get; set; } = 256;

    /// <summary>How often what is done is committed. Short ones cost calls, long ones are brought again after a crash.</summary>
    public TimeSpan CommitInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The pause after a call's first failure, before the same records come again; doubles up to <see cref="MaxRetryBackoff"/>.</summary>
    public TimeSpan RetryBackoff { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause before records that failed come again. Too large: a grain stands still after its trouble is over.</summary>
    public TimeSpan MaxRetryBackoff { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long calls under way may hold up a partition that another member shall have, and the end of this process. What is not done by then is brought again,
    /// by the next owner. Must be below <see cref="Clients.SubscriptionOptions.MaxProcessingTime"/> (5 minutes).
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The pause before a subscription goes on that was interrupted (its topic is gone, the group refuses it).</summary>
    public TimeSpan RestartDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Throws <see cref="ArgumentException"/> that names the property, its value and its bounds.</summary>
    public void Validate()
    {
        Check(nameof(MaxConcurrentCalls), MaxConcurrentCalls, MaxConcurrentCalls is >= 1 and <= 100_000, "1 to 100000");
        Check(nameof(CommitInterval), CommitInterval, IsTime(CommitInterval, TimeSpan.FromDays(1)), "above 0, to 1 day");
        Check(nameof(RetryBackoff), RetryBackoff, RetryBackoff > TimeSpan.Zero && RetryBackoff <= MaxRetryBackoff, "above 0, to MaxRetryBackoff");
        Check(nameof(MaxRetryBackoff), MaxRetryBackoff, MaxRetryBackoff <= TimeSpan.FromDays(1), "to 1 day");
        Check(nameof(DrainTimeout), DrainTimeout, DrainTimeout >= TimeSpan.Zero && DrainTimeout < TimeSpan.FromMinutes(5), "0 to below 5 minutes");
        Check(nameof(RestartDelay), RestartDelay, IsTime(RestartDelay, TimeSpan.FromDays(1)), "above 0, to 1 day");
    }

    private static bool IsTime(TimeSpan time, TimeSpan most) => time > TimeSpan.Zero && time <= most;

    private static void Check(string name, object value, bool holds, string bounds)
    {
        if (!holds)
            throw new ArgumentException($"LogSubscriptionOptions.{name} is {value}; allowed: {bounds}", name);
    }
}
