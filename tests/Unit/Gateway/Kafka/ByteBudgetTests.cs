using Granary.Gateway.Kafka;

namespace Granary.Unit.Gateway.Kafka;

public sealed class ByteBudgetTests
{
    [Fact]
    public async Task TakeAsync_BeyondTheLimit_WaitsInLine()
    {
        var budget = new ByteBudget(100);
        await budget.TakeAsync(60, CancellationToken.None);
        var large = budget.TakeAsync(50, CancellationToken.None).AsTask();
        // A small one does not overtake, or the large one might wait for ever.
        var small = budget.TakeAsync(10, CancellationToken.None).AsTask();
        Assert.False(large.IsCompleted);
        Assert.False(small.IsCompleted);

        budget.Return(60);
        await Task.WhenAll(large, small).WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(60, budget.TakenBytes);
    }

    [Fact]
    public async Task TakeAsync_OfMoreThanThereIs_WaitsUntilAllIsFree()
    {
        var budget = new ByteBudget(100);
        await budget.TakeAsync(1, CancellationToken.None);
        var huge = budget.TakeAsync(500, CancellationToken.None).AsTask();
        Assert.False(huge.IsCompleted);
        budget.Return(1);
        await huge.WaitAsync(TestContext.Current.CancellationToken);
        budget.Return(500);
        Assert.Equal(0, budget.TakenBytes);
    }

    [Fact]
    public async Task TakeAsync_ThatIsCancelled_LeavesTheLineToOthers()
    {
        var budget = new ByteBudget(100);
        await budget.TakeAsync(90, CancellationToken.None);
        using var leaving = new CancellationTokenSource();
        var first = budget.TakeAsync(50, leaving.Token).AsTask();
        var second = budget.TakeAsync(10, CancellationToken.None).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await second.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(100, budget.TakenBytes);
    }
}
