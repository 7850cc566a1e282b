using Granary.Silo.Clustering;
using Npgsql;

namespace Granary.Unit.Silo;

public sealed class HurriedQuestionsTests
{
    [Fact]
    public async Task Questions_AreGivenUpSoonAndWithoutWaitingForPostgresToAgree()
    {
        await using var questions = new HurriedQuestions("Host=db.example;Username=granary;Timeout=30;Command Timeout=60");
        foreach (var text in new[] { questions.Source.ConnectionString, questions.Unpooled })
        {
            var asked = new NpgsqlConnectionStringBuilder(text);
            Assert.Equal(HurriedQuestions.Patience, TimeSpan.FromSeconds(asked.Timeout));
            Assert.Equal(HurriedQuestions.Patience, TimeSpan.FromSeconds(asked.CommandTimeout));
            Assert.Equal(-1, asked.CancellationTimeout);
            Assert.Equal("db.example", asked.Host);
        }

        Assert.False(new NpgsqlConnectionStringBuilder(questions.Unpooled).Pooling);
    }
}
