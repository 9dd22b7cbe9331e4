// pm2 start deploy/pm2.config.js, from the root of the repository; settings stand in .env beside it.
module.exports = {
  apps: [
    {
      name: "trajectoryrl-validator",
      script: "neurons/validator.py",
      interpreter: ".venv/bin/python",
      autorestart: true,
      restart_delay: 15000,
      kill_timeout: 60000,
    },
  ],
};
